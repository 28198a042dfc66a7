namespace Podhost.Api.Validation.Pods;

/// <summary>Ports of containers, and ports that probes and services name.</summary>
internal static class PortRules
{
    public static readonly string[] Protocols = ["SCTP", "TCP", "UDP"];

    public static void Check(Field ports)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var port in ports.Items)
        {
            CheckName(port["name"], names);
            if (port["containerPort"].Number == 0)
            {
                port["containerPort"].Required();
            }
            else
            {
                port["containerPort"].InRange(1, 65535);
            }

            if (port["hostPort"].Number != 0)
            {
                port["hostPort"].InRange(1, 65535);
            }

            port["protocol"].RequiredOneOf(Protocols);
        }
    }

    /// <summary>Refuses a host port that two containers claim.</summary>
    public static void CheckConflicts(IEnumerable<Field> containers)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var port in containers.SelectMany(c => c["ports"].Items).Where(p => p["hostPort"].Number != 0))
        {
            var key = $"{port["protocol"].Text}/{port["hostIP"].Text}/{port["hostPort"].Number}";
            if (!taken.Add(key))
            {
                port["hostPort"].Duplicate(key);
            }
        }
    }

    /// <summary>On the host's network a container's port is the host's.</summary>
    public static void CheckHostNetwork(Field spec)
    {
        if (!spec["hostNetwork"].Flag)
        {
            return;
        }

        foreach (var port in spec["containers"].Items.SelectMany(c => c["ports"].Items))
        {
            if (port["hostPort"].Number != port["containerPort"].Number)
            {
                port["hostPort"].InvalidAs($"{port["hostPort"].Number}", "must match `containerPort` when `hostNetwork` is true");
            }
        }
    }

    /// <summary>A port by number or by name.</summary>
    public static void CheckNumberOrName(Field port)
    {
        if (port.IsText)
        {
            port.Check(Names.PortName);
        }
        else if (port.Number is < 1 or > 65535)
        {
            port.InvalidAs($"{port.Number}", "must be between 1 and 65535, inclusive");
        }
    }

    private static void CheckName(Field name, HashSet<string> names)
    {
        if (name.Text.Length == 0)
        {
            return;
        }

        if (Names.PortName(name.Text).Any())
        {
            name.Check(Names.PortName);
        }
        else if (!names.Add(name.Text))
        {
            name.Duplicate();
        }
    }
}

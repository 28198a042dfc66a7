using System.Text.Json.Nodes;
using Podhost.Api.Validation.Pods;

namespace Podhost.Api.Validation.Services;

/// <summary>spec.ports of a Service.</summary>
internal static class ServicePortRules
{
    public static void Check(Field spec)
    {
        var ports = spec["ports"];
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var port in ports.Items)
        {
            CheckOne(port, ports.Count > 1, names);
        }

        CheckNodePorts(spec);
        var seen = new HashSet<(string, long)>();
        foreach (var port in ports.Items)
        {
            if (!seen.Add((port["protocol"].Text, port["port"].Number)))
            {
                var key = new JsonObject { ["protocol"] = port["protocol"].Text, ["port"] = port["port"].Number };
                port.Add(new FieldError(port.Path, "FieldValueDuplicate", $"Duplicate value: {Field.Printed(key)}"));
            }
        }
    }

    private static void CheckOne(Field port, bool nameRequired, HashSet<string> names)
    {
        var name = port["name"];
        if (name.Text.Length == 0)
        {
            if (nameRequired)
            {
                name.Required();
            }
        }
        else
        {
            name.Check(Names.DnsLabel);
            if (!names.Add(name.Text))
            {
                name.Duplicate();
            }
        }

        if (port["port"].Number is < 1 or > 65535)
        {
            port["port"].InvalidAs($"{port["port"].Number}", "must be between 1 and 65535, inclusive");
        }

        port["protocol"].RequiredOneOf(PortRules.Protocols);
        PortRules.CheckNumberOrName(port["targetPort"]);
        if (port["appProtocol"].IsSet)
        {
            port["appProtocol"].Check(Names.Qualified);
        }
    }

    private static void CheckNodePorts(Field spec)
    {
        var seen = new HashSet<(string, long)>();
        foreach (var port in spec["ports"].Items.Where(p => p["nodePort"].Number != 0))
        {
            if (spec["type"].Text == "ClusterIP")
            {
                port["nodePort"].Forbidden("may not be used when `type` is 'ClusterIP'");
            }

            if (!seen.Add((port["protocol"].Text, port["nodePort"].Number)))
            {
                port["nodePort"].Add(new FieldError(port["nodePort"].Path, "FieldValueDuplicate", $"Duplicate value: {port["nodePort"].Number}"));
            }
        }
    }
}

namespace Podhost.Api.Validation.Pods;

/// <summary>fieldRef and resourceFieldRef of environment variables and downward API files.</summary>
internal static class FieldReferenceRules
{
    public static readonly string[] EnvironmentFields =
    [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ];

    public static readonly string[] VolumeFields =
        ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

    private static readonly string[] Resources =
        ["limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"];

    private static readonly string[] ByteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    private static readonly string[] Known = [.. EnvironmentFields.Union(VolumeFields)];

    public static void CheckField(Field reference, string[] supported)
    {
        var (version, path) = (reference["apiVersion"], reference["fieldPath"]);
        if (version.Text.Length == 0)
        {
            version.Required();
            return;
        }

        if (path.Text.Length == 0)
        {
            path.Required();
            return;
        }

        if (version.Text != "v1")
        {
            path.Invalid($"error converting fieldPath: unsupported pod version: {version.Text}");
            return;
        }

        var (name, subscript) = Split(path.Text);
        if (subscript is not null)
        {
            CheckSubscript(reference, path, name, subscript);
        }
        else if (!Known.Contains(name))
        {
            path.Invalid($"error converting fieldPath: field label not supported: {name}");
        }
        else if (!supported.Contains(name))
        {
            path.OneOf(supported);
        }
    }

    public static void CheckResource(Field reference, bool inVolume)
    {
        var resource = reference["resource"];
        var hugePages = resource.Text.StartsWith("limits.hugepages-", StringComparison.Ordinal)
            || resource.Text.StartsWith("requests.hugepages-", StringComparison.Ordinal);
        if (inVolume && reference["containerName"].Text.Length == 0)
        {
            reference["containerName"].Required();
        }
        else if (resource.Text.Length == 0)
        {
            resource.Required();
        }
        else if (!hugePages)
        {
            resource.OneOf(Resources);
        }

        CheckDivisor(reference["divisor"], resource, hugePages);
    }

    private static void CheckDivisor(Field divisor, Field resource, bool hugePages)
    {
        if (divisor.Amount.IsZero)
        {
            return;
        }

        var cpu = resource.Text.EndsWith(".cpu", StringComparison.Ordinal);
        var kind = cpu ? "cpu"
            : resource.Text.EndsWith(".memory", StringComparison.Ordinal) ? "memory"
            : resource.Text.EndsWith(".ephemeral-storage", StringComparison.Ordinal) ? "local ephemeral storage"
            : hugePages ? "hugepages" : null;
        var values = cpu ? ["1m", "1"] : ByteDivisors;
        if (kind is not null && !values.Contains(divisor.Amount.ToString()))
        {
            var listed = cpu ? "1m and 1" : string.Join(", ", ByteDivisors);
            divisor.With(resource.Node).Invalid($"only divisor's values {listed} are supported with the {kind} resource");
        }
    }

    private static void CheckSubscript(Field reference, Field path, string name, string subscript)
    {
        switch (name)
        {
            case "metadata.annotations":
                reference.Check(subscript.ToLowerInvariant(), Names.Qualified);
                break;
            case "metadata.labels":
                reference.Check(subscript, Names.Qualified);
                break;
            default:
                path.Invalid($"error converting fieldPath: field label does not support subscript: {path.Text}");
                break;
        }
    }

    private static (string Path, string? Subscript) Split(string path)
    {
        var open = path.IndexOf("['", StringComparison.Ordinal);
        return open > 0 && path.EndsWith("']", StringComparison.Ordinal) && open + 4 <= path.Length
            ? (path[..open], path[(open + 2)..^2]) : (path, null);
    }
}

using k8s.Models;

namespace Podhost.Kubelet.Containers.Environment;

/// <summary>Values of fieldRef, for variables and for downward API files.</summary>
internal static class FieldPaths
{
    /// <summary>The value of a path.</summary>
    /// <param name="path">For example <c>metadata.labels['app']</c>.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="podIPs">IPs of the pod, primary first.</param>
    /// <param name="hostIPs">IPs of the node, primary first.</param>
    /// <exception cref="FieldPathException">The path names nothing that may be read.</exception>
    public static string Read(string path, V1Pod pod, IReadOnlyList<string> podIPs, IReadOnlyList<string> hostIPs)
    {
        if (Subscript(path) is var (map, key))
        {
            return map switch
            {
                "metadata.labels" => pod.Metadata.Labels?.TryGetValue(key, out var label) == true ? label : "",
                "metadata.annotations" => pod.Metadata.Annotations?.TryGetValue(key, out var annotation) == true ? annotation : "",
                _ => throw new FieldPathException($"fieldPath \"{path}\" does not support subscript"),
            };
        }

        return path switch
        {
            "metadata.name" => pod.Metadata.Name,
            "metadata.namespace" => pod.Metadata.NamespaceProperty,
            "metadata.uid" => pod.Metadata.Uid,
            "metadata.labels" => Lines(pod.Metadata.Labels),
            "metadata.annotations" => Lines(pod.Metadata.Annotations),
            "spec.nodeName" => pod.Spec.NodeName ?? "",
            "spec.serviceAccountName" => pod.Spec.ServiceAccountName ?? "",
            "spec.restartPolicy" => pod.Spec.RestartPolicy ?? "",
            "spec.schedulerName" => pod.Spec.SchedulerName ?? "",
            "status.phase" => pod.Status?.Phase ?? "",
            "status.hostIP" => hostIPs.Count > 0 ? hostIPs[0] : "",
            "status.hostIPs" => string.Join(',', hostIPs),
            "status.podIP" => podIPs.Count > 0 ? podIPs[0] : "",
            "status.podIPs" => string.Join(',', podIPs),
            _ => throw new FieldPathException($"field label not supported: {path}"),
        };
    }

    /// <summary>A map in the form of a downward API file: a line <c>key="value"</c> each, by key.</summary>
    public static string Lines(IDictionary<string, string>? map) =>
        string.Join('\n', (map ?? new Dictionary<string, string>())
            .OrderBy(e => e.Key, StringComparer.Ordinal)
            .Select(e => $"{e.Key}={GoQuote.Quote(e.Value)}"));

    private static (string Map, string Key)? Subscript(string path)
    {
        var open = path.IndexOf("['", StringComparison.Ordinal);
        return open > 0 && path.EndsWith("']", StringComparison.Ordinal) && path.Length >= open + 4
            ? (path[..open], path[(open + 2)..^2])
            : null;
    }
}

/// <summary>A fieldRef or resourceFieldRef that cannot be resolved.</summary>
internal sealed class FieldPathException(string message) : Exception(message);

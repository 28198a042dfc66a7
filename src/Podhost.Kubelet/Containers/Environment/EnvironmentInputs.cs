using k8s.Models;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Sources;

namespace Podhost.Kubelet.Containers.Environment;

/// <summary>What variables are made from, besides the container.</summary>
internal sealed record EnvironmentInputs
{
    /// <summary>The pod.</summary>
    public required V1Pod Pod { get; init; }

    /// <summary>IPs of the pod, primary first.</summary>
    public required IReadOnlyList<string> PodIPs { get; init; }

    /// <summary>IPs of the node, primary first.</summary>
    public required IReadOnlyList<string> HostIPs { get; init; }

    /// <summary>For unset limits.</summary>
    public required NodeResources Node { get; init; }

    /// <summary>ConfigMaps, secrets and services.</summary>
    public required IObjectSource Objects { get; init; }

    /// <summary>Reads a file of a volume without leaving it: volume name, path; null where there is no such file.</summary>
    public required Func<string, string, string?> ReadVolumeFile { get; init; }
}

/// <summary>A container's environment.</summary>
/// <param name="Variables">In the order of declaration, a name once.</param>
/// <param name="Invalid">Keys of envFrom that cannot be names, by source (<c>configmap ns/name</c>); left out.</param>
internal sealed record ContainerEnvironment(IReadOnlyList<KeyValuePair<string, string>> Variables, IReadOnlyList<InvalidKeys> Invalid)
{
    private readonly Dictionary<string, string> _byName = Variables.ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> ByName => _byName;

    public string? Lookup(string name) => _byName.GetValueOrDefault(name);
}

/// <summary>Keys that were left out.</summary>
internal sealed record InvalidKeys(string Source, IReadOnlyList<string> Keys);

using k8s.Models;
using Podhost.Control.Objects;

namespace Podhost.Control.Scheduler.Model;

/// <summary>
/// What the selectors of other pods see of a pod. Equal for all pods of one template, so that a node counts its pods by their traits and a
/// selector is asked once for each of them, not once for each pod. Immutable, compared by value.
/// </summary>
internal sealed class PodTraits : IEquatable<PodTraits>
{
    private readonly int _hash;

    public PodTraits(V1Pod pod)
    {
        Namespace = pod.Metadata.NamespaceProperty;
        Labels = pod.Metadata.Labels ?? NoLabels.Instance;
        IsTerminating = pod.Metadata.DeletionTimestamp is not null;
        Controller = Ownership.ControllerOf(pod)?.Uid;
        var labels = 0;
        foreach (var (key, value) in Labels)
        {
            labels ^= HashCode.Combine(key, value);
        }

        _hash = HashCode.Combine(Namespace, IsTerminating, Controller, labels);
    }

    public string Namespace { get; }

    public IDictionary<string, string> Labels { get; }

    /// <summary>True where its deletion has begun.</summary>
    public bool IsTerminating { get; }

    /// <summary>The uid of its controller, or null.</summary>
    public string? Controller { get; }

    public bool Equals(PodTraits? other) => ReferenceEquals(this, other)
        || (other is not null
            && _hash == other._hash
            && Namespace == other.Namespace
            && IsTerminating == other.IsTerminating
            && Controller == other.Controller
            && Labels.Count == other.Labels.Count
            && Labels.All(l => other.Labels.TryGetValue(l.Key, out var value) && value == l.Value));

    public override bool Equals(object? obj) => Equals(obj as PodTraits);

    public override int GetHashCode() => _hash;

    private static class NoLabels
    {
        public static readonly IDictionary<string, string> Instance = new Dictionary<string, string>().AsReadOnly();
    }
}

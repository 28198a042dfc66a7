using System.Collections.Concurrent;
using k8s.Models;
using Podhost.Client.Informers;

namespace Podhost.Control.Controllers.Services;

/// <summary>
/// Since when endpoints are out of date: the moment at which a pod's readiness changed or the Service was made. It goes with what is written, so
/// that others measure how long the network took to follow. Source: upstream's endpointslice trigger time tracker.
/// </summary>
internal sealed class TriggerTimes
{
    /// <summary>The annotation of Endpoints and EndpointSlices.</summary>
    public const string Annotation = "endpoints.kubernetes.io/last-change-trigger-time";

    private readonly ConcurrentDictionary<ObjectKey, Seen> _seen = new();

    /// <summary>The earliest change since the last call for this Service; null where none is known. One call at a time for a Service.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="pods">All pods that it selects.</param>
    public DateTime? Next(V1Service service, IEnumerable<V1Pod> pods)
    {
        var key = ObjectKey.Of(service);
        var created = service.Metadata.CreationTimestamp;
        var now = new Seen(created, pods.Select(p => (p.Metadata.Name, Ready: ReadinessOf(p))).Where(p => p.Ready is not null).ToDictionary(p => p.Name, p => p.Ready!));
        if (!_seen.TryGetValue(key, out var before))
        {
            _seen[key] = now;
            return created;
        }

        _seen[key] = now;

        // Times have whole seconds: a pod that becomes ready and unready within one changed all the same.
        var changes = now.Pods.Where(p => !before.Pods.TryGetValue(p.Key, out var old) || p.Value.Since > old.Since || p.Value.Status != old.Status)
            .Select(p => (DateTime?)p.Value.Since);
        return changes.Append(created > before.Created ? created : null).Min();
    }

    /// <summary>Forgets a Service that is gone.</summary>
    public void Forget(ObjectKey service) => _seen.TryRemove(service, out _);

    /// <summary>Writes the moment into annotations, or takes an old one away.</summary>
    public static IDictionary<string, string>? Stamp(IDictionary<string, string>? annotations, DateTime? moment)
    {
        var stamped = new Dictionary<string, string>(annotations ?? new Dictionary<string, string>());
        stamped.Remove(Annotation);
        if (moment is { } at)
        {
            stamped[Annotation] = at.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFK", System.Globalization.CultureInfo.InvariantCulture);
        }

        return stamped.Count > 0 ? stamped : null;
    }

    private static Readiness? ReadinessOf(V1Pod pod) =>
        pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready") is { LastTransitionTime: { } since } ready ? new Readiness(ready.Status, since) : null;

    private sealed record Readiness(string Status, DateTime Since);

    private sealed record Seen(DateTime? Created, Dictionary<string, Readiness> Pods);
}

using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Client;
using Podhost.Client.Informers;

namespace Podhost.Control.Controllers.Services;

/// <summary>Tells which Services may have other endpoints now, at the moment a Service or a pod changes.</summary>
internal static class ServiceFeed
{
    /// <summary>Subscribes; the callback gets the keys of Services and must not block.</summary>
    public static IDisposable Subscribe(IInformer<V1Service> services, IInformer<V1Pod> pods, ServiceIndex index, Action<ObjectKey> touched) => new Both(
        services.Subscribe(e => touched(ObjectKey.Of(e.Object))),
        pods.Subscribe(e =>
        {
            if (e.Previous is { } previous && IsSame(previous, e.Object) && e.Type == WatchEventKind.Modified)
            {
                return;
            }

            foreach (var service in index.ServicesOf(e.Object).Concat(e.Previous is null ? [] : index.ServicesOf(e.Previous)))
            {
                touched(ObjectKey.Of(service));
            }
        }));

    /// <summary>True where a change of a pod cannot change any endpoint.</summary>
    internal static bool IsSame(V1Pod a, V1Pod b) =>
        PodStates.IsReady(a) == PodStates.IsReady(b)
        && ServicePods.IsTerminating(a) == ServicePods.IsTerminating(b)
        && ServicePods.CanBeEndpoint(a, true) == ServicePods.CanBeEndpoint(b, true)
        && a.Spec.NodeName == b.Spec.NodeName
        && Addresses(a).SequenceEqual(Addresses(b))
        && Labels(a).SequenceEqual(Labels(b));

    private static IEnumerable<string> Addresses(V1Pod pod) => (pod.Status?.PodIPs ?? []).Select(i => i.Ip).Prepend(pod.Status?.PodIP ?? "");

    private static IEnumerable<string> Labels(V1Pod pod) =>
        (pod.Metadata.Labels ?? new Dictionary<string, string>()).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}");

    private sealed class Both(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            first.Dispose();
            second.Dispose();
        }
    }
}

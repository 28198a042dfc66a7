using k8s.Models;
using Podhost.Client.Informers;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Services;

/// <summary>Finds the pods of a Service and the Services of a pod by their labels, without a look at all of them.</summary>
internal sealed class ServiceIndex
{
    private readonly InformerIndex<V1Pod> _pods;
    private readonly InformerIndex<V1Service> _services;

    public ServiceIndex(IInformer<V1Service> services, IInformer<V1Pod> pods)
    {
        _pods = pods.AddIndex(OwnerIndex.ByLabel);
        _services = services.AddIndex(BySelector);
    }

    /// <summary>The pods that a Service selects.</summary>
    public IReadOnlyList<V1Pod> PodsOf(V1Service service) => service.Spec?.Selector is not { Count: > 0 } selector
        ? []
        : [.. _pods.Get(selector.Select(s => OwnerIndex.Label(service.Metadata.NamespaceProperty, s.Key, s.Value)).MinBy(_pods.Count)!).Where(p => ServicePods.Selects(service, p))];

    /// <summary>The Services that select a pod.</summary>
    public IEnumerable<V1Service> ServicesOf(V1Pod pod) => OwnerIndex.ByLabel(pod).SelectMany(_services.Get).Where(s => ServicePods.Selects(s, pod));

    // By one pair of the selector: a pod that it selects has that label.
    private static IEnumerable<string> BySelector(V1Service service) => service.Spec?.Selector is not { Count: > 0 } selector
        ? []
        : [selector.Select(s => OwnerIndex.Label(service.Metadata.NamespaceProperty, s.Key, s.Value)).Min(StringComparer.Ordinal)!];
}

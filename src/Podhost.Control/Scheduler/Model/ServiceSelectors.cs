using System.Collections.Immutable;
using k8s.Models;

namespace Podhost.Control.Scheduler.Model;

/// <summary>The selectors of all Services, by namespace and name. Immutable.</summary>
internal sealed class ServiceSelectors
{
    private readonly ImmutableDictionary<string, ImmutableDictionary<string, IDictionary<string, string>>> _byNamespace;

    private ServiceSelectors(ImmutableDictionary<string, ImmutableDictionary<string, IDictionary<string, string>>> byNamespace) => _byNamespace = byNamespace;

    public static ServiceSelectors None { get; } = new(ImmutableDictionary<string, ImmutableDictionary<string, IDictionary<string, string>>>.Empty);

    /// <summary>With a service; one without a selector selects nothing.</summary>
    public ServiceSelectors With(V1Service service)
    {
        var own = OfNamespace(service);
        return Set(service, service.Spec?.Selector is { Count: > 0 } selector ? own.SetItem(service.Metadata.Name, selector) : own.Remove(service.Metadata.Name));
    }

    public ServiceSelectors Without(V1Service service) => Set(service, OfNamespace(service).Remove(service.Metadata.Name));

    /// <summary>Selectors of the services that select a pod.</summary>
    public IReadOnlyList<IDictionary<string, string>> Of(PodView pod) => _byNamespace.TryGetValue(pod.Namespace, out var own)
        ? [.. own.Values.Where(s => Selects(s, pod.Traits))]
        : [];

    public static bool Selects(IDictionary<string, string> selector, PodTraits pod) => selector.All(s => pod.Labels.TryGetValue(s.Key, out var v) && v == s.Value);

    private ImmutableDictionary<string, IDictionary<string, string>> OfNamespace(V1Service service) =>
        _byNamespace.GetValueOrDefault(service.Metadata.NamespaceProperty) ?? ImmutableDictionary<string, IDictionary<string, string>>.Empty;

    private ServiceSelectors Set(V1Service service, ImmutableDictionary<string, IDictionary<string, string>> own) => new(
        own.IsEmpty ? _byNamespace.Remove(service.Metadata.NamespaceProperty) : _byNamespace.SetItem(service.Metadata.NamespaceProperty, own));
}

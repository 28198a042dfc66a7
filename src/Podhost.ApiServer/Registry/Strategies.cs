using Podhost.Api.Resources;
using Podhost.ApiServer.Registry.Certificates;
using Podhost.ApiServer.Registry.Custom;
using Podhost.ApiServer.Registry.Events;
using Podhost.ApiServer.Registry.Namespaces;
using Podhost.ApiServer.Registry.Nodes;
using Podhost.ApiServer.Registry.Pods;
using Podhost.ApiServer.Registry.Secrets;
using Podhost.ApiServer.Registry.Volumes;
using Podhost.ApiServer.Registry.Workloads;

namespace Podhost.ApiServer.Registry;

/// <summary>The strategy of each resource.</summary>
internal sealed class Strategies
{
    private readonly Dictionary<ResourceInfo, ResourceStrategy> _byResource = new(ReferenceEqualityComparer.Instance);

    public Strategies(TimeSpan eventTtl, TimeProvider time)
    {
        foreach (var resource in ResourceTable.All)
        {
            _byResource[resource] = Make(resource, eventTtl, time);
        }
    }

    /// <summary>The strategy of a resource. Those of custom kinds come and go with their definitions.</summary>
    public ResourceStrategy For(ResourceInfo resource) => resource.Custom is null ? _byResource[resource] : new CustomStrategy(resource);

    private static ResourceStrategy Make(ResourceInfo resource, TimeSpan eventTtl, TimeProvider time) => (resource.Group, resource.Plural) switch
    {
        ("", "pods") => new PodStrategy(resource),
        ("", "namespaces") => new NamespaceStrategy(resource),
        ("", "nodes") => new NodeStrategy(resource),
        ("", "secrets") => new SecretStrategy(resource),
        ("", "persistentvolumes") => new PersistentVolumeStrategy(resource, time),
        ("", "persistentvolumeclaims") => new VolumeStrategy(resource),
        ("", "serviceaccounts" or "services") => new ReturnsDeletedStrategy(resource),
        ("" or "events.k8s.io", "events") => new EventStrategy(resource, eventTtl),
        ("apps", "deployments") => new DeploymentStrategy(resource),
        ("apiextensions.k8s.io", "customresourcedefinitions") => new DefinitionStrategy(resource),
        ("batch", "jobs") => new JobStrategy(resource),
        ("certificates.k8s.io", "certificatesigningrequests") => new SigningRequestStrategy(resource),
        ("coordination.k8s.io", "leases") => new ConditionalUpdateStrategy(resource),
        _ => new ResourceStrategy(resource),
    };

    private sealed class ReturnsDeletedStrategy(ResourceInfo resource) : ResourceStrategy(resource)
    {
        public override bool ReturnsDeletedObject => true;
    }

    private sealed class ConditionalUpdateStrategy(ResourceInfo resource) : ResourceStrategy(resource)
    {
        public override bool AllowsUnconditionalUpdate => false;
    }
}

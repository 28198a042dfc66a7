using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Quantities;
using Podhost.Api.Resources;

namespace Podhost.Api.Quota;

/// <summary>What an object of any kind uses of a quota.</summary>
/// <remarks>Source: upstream's pkg/quota/v1/evaluator/core.</remarks>
public static class ObjectQuota
{
    private static readonly Quantity One = Quantity.FromValue(1);

    /// <summary><c>count/pods</c>, <c>count/deployments.apps</c>.</summary>
    public static string CountName(ResourceInfo resource) => "count/" + resource.QualifiedName;

    /// <summary>The amounts that an object counts for.</summary>
    public static Dictionary<string, Quantity> Usage(ResourceInfo resource, JsonObject obj, DateTime now) => (resource.Group, resource.Plural) switch
    {
        ("", "pods") => PodQuota.Usage(ObjectCodec.ToModel<V1Pod>(obj), now),
        ("", "services") => Usage(ObjectCodec.ToModel<V1Service>(obj)),
        ("", "persistentvolumeclaims") => Usage(ObjectCodec.ToModel<V1PersistentVolumeClaim>(obj)),
        _ => Count(resource),
    };

    /// <summary>One object of a kind that has nothing but its number to count.</summary>
    public static Dictionary<string, Quantity> Count(ResourceInfo resource)
    {
        var usage = new Dictionary<string, Quantity>(StringComparer.Ordinal) { [CountName(resource)] = One };
        if (resource is { Group: "", Plural: "configmaps" or "secrets" or "replicationcontrollers" or "resourcequotas" })
        {
            usage[resource.Plural] = One;
        }

        return usage;
    }

    /// <summary>A Service: itself, its node ports, its load balancer.</summary>
    public static Dictionary<string, Quantity> Usage(V1Service service)
    {
        var usage = new Dictionary<string, Quantity>(StringComparer.Ordinal) { ["services"] = One, ["count/services"] = One };
        var ports = Quantity.FromValue(service.Spec.Ports?.Count ?? 0);
        if (service.Spec.Type == "NodePort" || (service.Spec.Type == "LoadBalancer" && service.Spec.AllocateLoadBalancerNodePorts != false))
        {
            usage["services.nodeports"] = ports;
        }

        if (service.Spec.Type == "LoadBalancer")
        {
            usage["services.loadbalancers"] = One;
        }

        return usage;
    }

    /// <summary>A claim: itself and its size, in all and in its class.</summary>
    public static Dictionary<string, Quantity> Usage(V1PersistentVolumeClaim claim)
    {
        var usage = new Dictionary<string, Quantity>(StringComparer.Ordinal) { ["persistentvolumeclaims"] = One, ["count/persistentvolumeclaims"] = One };
        Quantity? storage = claim.Spec.Resources?.Requests is { } requests && requests.TryGetValue("storage", out var size) ? QuotaAmounts.Of(size) : null;
        if (storage is { } bytes)
        {
            usage["requests.storage"] = bytes;
        }

        if (claim.Spec.StorageClassName is { Length: > 0 } storageClass)
        {
            usage[storageClass + ".storageclass.storage.k8s.io/persistentvolumeclaims"] = One;
            if (storage is { } inClass)
            {
                usage[storageClass + ".storageclass.storage.k8s.io/requests.storage"] = inClass;
            }
        }

        return usage;
    }
}

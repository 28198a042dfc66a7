using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Api.Resources;
using Podhost.Client.Informers;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.Disruption;

/// <summary>How many pods the controller of a pod wants.</summary>
/// <param name="Uid">UID of the controller; of the Deployment where it is one of its ReplicaSets.</param>
/// <param name="Replicas">The number.</param>
/// <param name="Fault">Why it is not known; null where it is.</param>
internal readonly record struct ControllerScale(string Uid, int Replicas, string? Fault = null);

/// <summary>The kinds that tell how many pods they want.</summary>
/// <param name="Sets">All ReplicaSets.</param>
/// <param name="Deployments">All Deployments.</param>
/// <param name="Stateful">All StatefulSets.</param>
/// <param name="Controllers">All ReplicationControllers.</param>
public sealed record ScaledSources(
    IInformer<V1ReplicaSet> Sets, IInformer<V1Deployment> Deployments, IInformer<V1StatefulSet> Stateful, IInformer<V1ReplicationController> Controllers);

/// <summary>Finds the controllers of pods in the copies of the informers.</summary>
internal sealed class ControllerScales(ScaledSources sources)
{
    /// <summary>The scale of a pod's controller; null where nothing controls the pod.</summary>
    public ControllerScale? Of(V1Pod pod)
    {
        if (Ownership.ControllerOf(pod) is not { } owner)
        {
            return null;
        }

        var ns = pod.Metadata.NamespaceProperty;
        switch (owner.ApiVersion, owner.Kind)
        {
            case ("apps/v1", "ReplicaSet"):
                return OfSet(pod, owner);
            case ("apps/v1", "StatefulSet"):
                return sources.Stateful.Get(ns, owner.Name) is { } stateful && stateful.Metadata.Uid == owner.Uid
                    ? new ControllerScale(owner.Uid, stateful.Spec.Replicas ?? 1)
                    : Missing(owner, pod);
            case ("v1", "ReplicationController"):
                return sources.Controllers.Get(ns, owner.Name) is { } controller && controller.Metadata.Uid == owner.Uid
                    ? new ControllerScale(owner.Uid, controller.Spec.Replicas ?? 1)
                    : Missing(owner, pod);
            default:
                var known = ResourceTable.FindKind(owner.ApiVersion, owner.Kind);
                return new ControllerScale(owner.Uid, 0, $"{known?.Plural ?? owner.Kind.ToLowerInvariant()}.{owner.ApiVersion.Split('/')[0]} does not implement the scale subresource");
        }
    }

    private ControllerScale OfSet(V1Pod pod, V1OwnerReference owner)
    {
        if (sources.Sets.Get(pod.Metadata.NamespaceProperty, owner.Name) is not { } set || set.Metadata.Uid != owner.Uid)
        {
            return Missing(owner, pod);
        }

        if (Ownership.ControllerOf(set) is not { Kind: "Deployment" } above)
        {
            return new ControllerScale(set.Metadata.Uid, set.Spec.Replicas ?? 1);
        }

        return sources.Deployments.Get(pod.Metadata.NamespaceProperty, above.Name) is { } deployment && deployment.Metadata.Uid == above.Uid
            ? new ControllerScale(deployment.Metadata.Uid, deployment.Spec.Replicas ?? 1)
            : Missing(above, pod);
    }

    private static ControllerScale Missing(V1OwnerReference owner, V1Pod pod) => new(owner.Uid, 0, $"found no controllers for pod \"{pod.Metadata.Name}\"");
}

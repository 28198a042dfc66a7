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

/// <summary>Finds the controllers of pods in the copies of the informers.</summary>
internal sealed class ControllerScales(IInformer<V1ReplicaSet> sets, IInformer<V1Deployment> deployments)
{
    /// <summary>The scale of a pod's controller; null where nothing controls the pod.</summary>
    public ControllerScale? Of(V1Pod pod)
    {
        if (Ownership.ControllerOf(pod) is not { } owner)
        {
            return null;
        }

        if (owner.Kind != "ReplicaSet")
        {
            var known = ResourceTable.FindKind(owner.ApiVersion, owner.Kind);
            return new ControllerScale(owner.Uid, 0, $"{known?.Plural ?? owner.Kind.ToLowerInvariant()}.{owner.ApiVersion.Split('/')[0]} does not implement the scale subresource");
        }

        if (sets.Get(pod.Metadata.NamespaceProperty, owner.Name) is not { } set || set.Metadata.Uid != owner.Uid)
        {
            return Missing(owner, pod);
        }

        if (Ownership.ControllerOf(set) is not { Kind: "Deployment" } above)
        {
            return new ControllerScale(set.Metadata.Uid, set.Spec.Replicas ?? 1);
        }

        return deployments.Get(pod.Metadata.NamespaceProperty, above.Name) is { } deployment && deployment.Metadata.Uid == above.Uid
            ? new ControllerScale(deployment.Metadata.Uid, deployment.Spec.Replicas ?? 1)
            : Missing(above, pod);
    }

    private static ControllerScale Missing(V1OwnerReference owner, V1Pod pod) => new(owner.Uid, 0, $"found no controllers for pod \"{pod.Metadata.Name}\"");
}

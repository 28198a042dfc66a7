using k8s.Models;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>Where decided statuses go. Never blocks; of each pod only the newest counts.</summary>
internal interface IPodStatusSink
{
    /// <summary>The pod's status is this now.</summary>
    void Publish(V1Pod pod, PodOrigin origin, V1PodStatus status);

    /// <summary>Nothing of the pod is left on the node: after its last status its object is deleted.</summary>
    void Finish(V1Pod pod, PodOrigin origin, V1PodStatus status);
}

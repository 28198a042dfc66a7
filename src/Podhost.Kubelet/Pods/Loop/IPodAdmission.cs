using k8s.Models;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>Whether the node takes a pod.</summary>
internal interface IPodAdmission
{
    /// <summary>Judges a pod and, where it is taken, counts it until its release.</summary>
    AdmissionVerdict Admit(V1Pod pod, PodOrigin origin);

    /// <summary>The pod takes nothing any more.</summary>
    void Release(string podUid);
}

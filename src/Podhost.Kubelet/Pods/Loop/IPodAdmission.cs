using k8s.Models;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>Whether the node takes a pod.</summary>
internal interface IPodAdmission
{
    /// <summary>Judges a pod and, where it is taken, counts it until its release. Null: others leave for it first, <see cref="Decided"/> tells when.</summary>
    AdmissionVerdict? Admit(V1Pod pod, PodOrigin origin);

    /// <summary>Raised with the answer to a pod that had to wait for others to leave.</summary>
    event Action<string, AdmissionVerdict>? Decided;

    /// <summary>Raised with a pod that has to leave for another, and how.</summary>
    event Action<string, StopRequest>? Preempts;

    /// <summary>What an admitted pod may have of what it asks for now; null where it was not admitted.</summary>
    PodAllocation? Ask(V1Pod pod);

    /// <summary>Raised when a pod that waited gets what it asks for, or waits for another reason.</summary>
    event Action<string, PodAllocation>? Settled;

    /// <summary>All pods of this node were seen: what was given to others is forgotten.</summary>
    void SourcesKnown();

    /// <summary>The pod takes nothing any more. May be told again.</summary>
    void Release(string podUid);
}

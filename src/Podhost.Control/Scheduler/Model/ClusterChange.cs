namespace Podhost.Control.Scheduler.Model;

/// <summary>Kinds of changes after which a pod that fitted nowhere may fit: each filter names those that can change its answer.</summary>
[Flags]
internal enum ClusterChange
{
    /// <summary>No change that matters.</summary>
    None = 0,

    /// <summary>A node came.</summary>
    NodeAdded = 1,

    /// <summary>A node's allocatable amounts changed.</summary>
    NodeAllocatable = 2,

    /// <summary>A node's labels changed.</summary>
    NodeLabels = 4,

    /// <summary>A node's taints or spec.unschedulable changed.</summary>
    NodeTaints = 8,

    /// <summary>A node left.</summary>
    NodeRemoved = 16,

    /// <summary>A pod left a node, or ended.</summary>
    PodGone = 32,

    /// <summary>A pod came to a node, or its labels changed.</summary>
    PodPlaced = 64,

    /// <summary>A pod on a node asks for other amounts.</summary>
    PodResized = 128,

    /// <summary>A namespace's labels changed.</summary>
    Namespaces = 256,

    /// <summary>The deletion of a pod on a node began.</summary>
    PodLeaving = 512,

    /// <summary>A claim, a volume or a storage class changed.</summary>
    Storage = 1024,

    /// <summary>Anything.</summary>
    All = 2047,
}

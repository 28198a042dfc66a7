using System.Collections.Immutable;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>
/// Something to be done for a pod: the closed set. An effect is wanted as long as each decision names it, and is idempotent.
/// Two effects of one key never run at once; where the parameters differ, the running one is cancelled first.
/// </summary>
internal abstract record PodEffect
{
    /// <summary>What the effect works on, unique among the effects of a pod.</summary>
    public abstract string Key { get; }

    /// <summary>False where giving up half-way would leave the runtime's answer unknown: such an effect runs to its own end.</summary>
    public virtual bool Cancellable => true;

    /// <summary>True where the effect changes what the runtime has: its outcome is told together with a fresh look at the runtime.</summary>
    public virtual bool ChangesRuntime => true;
}

/// <summary>Creates the pod's cgroup and writes its values.</summary>
/// <param name="Generation">Of the spec whose values they are.</param>
/// <param name="Widen">True where no limit may become less yet: containers still have theirs of before.</param>
internal sealed record EnsureCgroup(long Generation, bool Widen = false) : PodEffect
{
    public override string Key => "cgroup";

    public override bool ChangesRuntime => false;
}

/// <summary>Removes the pod's cgroup.</summary>
internal sealed record RemoveCgroup : PodEffect
{
    public override string Key => "cgroup";

    public override bool ChangesRuntime => false;
}

/// <summary>Sets the volumes up, and renews the files that show the pod itself.</summary>
/// <param name="Shown">What of the pod files may show.</param>
internal sealed record MountVolumes(string Shown) : PodEffect
{
    public override string Key => "volumes";

    public override bool ChangesRuntime => false;
}

/// <summary>Takes the volumes down.</summary>
internal sealed record UnmountVolumes : PodEffect
{
    public override string Key => "volumes";

    public override bool ChangesRuntime => false;
}

/// <summary>Removes the pod's log directory.</summary>
internal sealed record RemoveLogs : PodEffect
{
    public override string Key => "logs";

    public override bool ChangesRuntime => false;
}

/// <summary>Creates and starts the sandbox.</summary>
internal sealed record CreateSandbox(uint Attempt) : PodEffect
{
    public override string Key => "sandbox";

    public override bool Cancellable => false;
}

/// <summary>Stops a sandbox: infra container and network.</summary>
internal sealed record StopSandbox(string SandboxId) : PodEffect
{
    public override string Key => "sandbox/" + SandboxId;
}

/// <summary>Removes a stopped sandbox.</summary>
internal sealed record RemoveSandbox(string SandboxId) : PodEffect
{
    public override string Key => "sandbox/" + SandboxId;
}

/// <summary>Asks whether an image is here.</summary>
/// <param name="User">What needs it (<see cref="ImageNeed.User"/>).</param>
/// <param name="Attempt">The container's instance that it is for; 0 for a volume.</param>
/// <param name="Image">The reference.</param>
internal sealed record InspectImage(string User, uint Attempt, string Image) : PodEffect
{
    public override string Key => "image/" + User;

    public override bool ChangesRuntime => false;
}

/// <summary>Pulls an image.</summary>
/// <param name="User">What needs it (<see cref="ImageNeed.User"/>).</param>
/// <param name="Attempt">The container's instance that it is for; 0 for a volume.</param>
/// <param name="Image">The reference.</param>
internal sealed record PullImage(string User, uint Attempt, string Image) : PodEffect
{
    public override string Key => "image/" + User;

    public override bool ChangesRuntime => false;
}

/// <summary>Creates and starts a container.</summary>
internal sealed record StartContainer(string Container, ContainerKind Kind, uint Attempt, string SandboxId, string ImageRef, string? TargetContainerId, VolumeImages Volumes) : PodEffect
{
    public override string Key => "start/" + Container;

    public override bool Cancellable => false;
}

/// <summary>The image that a volume shows.</summary>
/// <param name="Volume">The volume's name.</param>
/// <param name="ImageRef">The runtime's ID of the image.</param>
internal sealed record VolumeImage(string Volume, string ImageRef);

/// <summary>The images of the volumes that a container mounts.</summary>
internal sealed record VolumeImages(ImmutableArray<VolumeImage> All)
{
    public bool Equals(VolumeImages? other) => other is not null && All.SequenceEqual(other.All);

    public override int GetHashCode() => All.Length;
}

/// <summary>Runs a postStart hook.</summary>
internal sealed record RunPostStart(string Container, string ContainerId) : PodEffect
{
    public override string Key => "postStart/" + ContainerId;

    public override bool ChangesRuntime => false;
}

/// <summary>Runs a preStop hook.</summary>
internal sealed record RunPreStop(string Container, string ContainerId) : PodEffect
{
    public override string Key => "preStop/" + ContainerId;

    public override bool ChangesRuntime => false;
}

/// <summary>Stops a container: its stop signal at once, SIGKILL at the deadline.</summary>
internal sealed record StopContainer(string Container, string ContainerId, DateTimeOffset Deadline) : PodEffect
{
    public override string Key => "container/" + ContainerId;
}

/// <summary>Removes a container that does not run.</summary>
/// <param name="Container">Its name.</param>
/// <param name="ContainerId">Its ID.</param>
/// <param name="LogPath">Its log, which goes with it, rotated files included; empty where all logs of the pod go at once.</param>
internal sealed record RemoveContainer(string Container, string ContainerId, string LogPath = "") : PodEffect
{
    public override string Key => "container/" + ContainerId;
}

/// <summary>Gives a running container new resources.</summary>
internal sealed record ResizeContainer(string Container, string ContainerId, long Generation) : PodEffect
{
    public override string Key => "container/" + ContainerId;
}

using k8s.Models;

namespace Podhost.Kubelet.Probes;

/// <summary>Runs the probes of running containers, each on its own timer, and reports results as signals. No decision is made here.</summary>
public interface IProbeManager : IAsyncDisposable
{
    /// <summary>Makes the set of a pod's probe workers exactly the given one: starts missing ones, stops others, leaves equal ones alone.</summary>
    void Sync(string podUid, IReadOnlyList<ProbeTarget> targets);

    /// <summary>Stops all workers of a pod.</summary>
    void Remove(string podUid);
}

/// <summary>One probe of one running container instance.</summary>
/// <param name="Pod">The pod, for ports, hostnames and events.</param>
/// <param name="Container">The container's spec.</param>
/// <param name="Kind">Liveness, readiness or startup.</param>
/// <param name="ContainerId">The instance; a new instance is a new target and its results start anew.</param>
/// <param name="PodIP">Where tcp, http and grpc probes connect where the probe names no host.</param>
/// <param name="StartedAt">When the instance started, for initialDelaySeconds.</param>
public sealed record ProbeTarget(V1Pod Pod, V1Container Container, ProbeKind Kind, string ContainerId, string PodIP, DateTimeOffset StartedAt)
{
    /// <summary>What makes two targets the same worker.</summary>
    public (string, ProbeKind) Key => (ContainerId, Kind);
}

/// <summary>Kind of a probe.</summary>
public enum ProbeKind
{
    /// <summary>Failure restarts the container.</summary>
    Liveness,

    /// <summary>Failure takes it out of the endpoints.</summary>
    Readiness,

    /// <summary>The others wait for it; failure restarts the container.</summary>
    Startup,
}

/// <summary>Result of a probe after thresholds.</summary>
public enum ProbeResult
{
    /// <summary>The probe failed failureThreshold times in a row.</summary>
    Failure,

    /// <summary>The probe succeeded successThreshold times in a row.</summary>
    Success,

    /// <summary>No result; nothing follows from it.</summary>
    Unknown,
}

/// <summary>A change of a probe's result.</summary>
/// <param name="PodUid">The pod.</param>
/// <param name="ContainerName">The container.</param>
/// <param name="ContainerId">The instance.</param>
/// <param name="Kind">The probe.</param>
/// <param name="Result">The new result.</param>
/// <param name="Message">Output of the last attempt, for the Killing and Unhealthy events.</param>
public sealed record ProbeReport(string PodUid, string ContainerName, string ContainerId, ProbeKind Kind, ProbeResult Result, string Message);

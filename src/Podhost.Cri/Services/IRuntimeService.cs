using Podhost.Cri.V1;

namespace Podhost.Cri.Services;

/// <summary>
/// The runtime half of CRI v1: sandboxes and containers, one method for each RPC.
/// Every failure is a <see cref="Grpc.Core.RpcException"/> with the status code of CRI, in-process as over a socket.
/// </summary>
public interface IRuntimeService
{
    /// <summary>The runtime's name and version.</summary>
    Task<VersionResponse> VersionAsync(VersionRequest request, CancellationToken cancellationToken);

    /// <summary>Creates and starts a sandbox; it is ready when this returns.</summary>
    Task<RunPodSandboxResponse> RunPodSandboxAsync(RunPodSandboxRequest request, CancellationToken cancellationToken);

    /// <summary>Stops what runs in the sandbox and gives its network back. Idempotent: an absent sandbox is no error.</summary>
    Task<StopPodSandboxResponse> StopPodSandboxAsync(StopPodSandboxRequest request, CancellationToken cancellationToken);

    /// <summary>Removes the sandbox and its containers. Idempotent: an absent sandbox is no error.</summary>
    Task<RemovePodSandboxResponse> RemovePodSandboxAsync(RemovePodSandboxRequest request, CancellationToken cancellationToken);

    /// <summary>The status of a sandbox; NotFound when it is absent.</summary>
    Task<PodSandboxStatusResponse> PodSandboxStatusAsync(PodSandboxStatusRequest request, CancellationToken cancellationToken);

    /// <summary>The sandboxes that match the filter.</summary>
    Task<ListPodSandboxResponse> ListPodSandboxAsync(ListPodSandboxRequest request, CancellationToken cancellationToken);

    /// <summary>As ListPodSandbox, in parts; Unimplemented by runtimes before Kubernetes 1.36.</summary>
    IAsyncEnumerable<StreamPodSandboxesResponse> StreamPodSandboxesAsync(StreamPodSandboxesRequest request, CancellationToken cancellationToken);

    /// <summary>Creates a container in a sandbox without starting it.</summary>
    Task<CreateContainerResponse> CreateContainerAsync(CreateContainerRequest request, CancellationToken cancellationToken);

    /// <summary>Starts a created container.</summary>
    Task<StartContainerResponse> StartContainerAsync(StartContainerRequest request, CancellationToken cancellationToken);

    /// <summary>Stops a container: its stop signal, then a kill after the request's timeout (seconds). Idempotent.</summary>
    Task<StopContainerResponse> StopContainerAsync(StopContainerRequest request, CancellationToken cancellationToken);

    /// <summary>Removes a container, by force when it runs. Idempotent: an absent container is no error.</summary>
    Task<RemoveContainerResponse> RemoveContainerAsync(RemoveContainerRequest request, CancellationToken cancellationToken);

    /// <summary>The containers that match the filter.</summary>
    Task<ListContainersResponse> ListContainersAsync(ListContainersRequest request, CancellationToken cancellationToken);

    /// <summary>As ListContainers, in parts; Unimplemented by runtimes before Kubernetes 1.36.</summary>
    IAsyncEnumerable<StreamContainersResponse> StreamContainersAsync(StreamContainersRequest request, CancellationToken cancellationToken);

    /// <summary>The status of a container; NotFound when it is absent.</summary>
    Task<ContainerStatusResponse> ContainerStatusAsync(ContainerStatusRequest request, CancellationToken cancellationToken);

    /// <summary>Changes the resources of a container, all or none.</summary>
    Task<UpdateContainerResourcesResponse> UpdateContainerResourcesAsync(UpdateContainerResourcesRequest request, CancellationToken cancellationToken);

    /// <summary>Reopens a running container's log file after a rotation.</summary>
    Task<ReopenContainerLogResponse> ReopenContainerLogAsync(ReopenContainerLogRequest request, CancellationToken cancellationToken);

    /// <summary>Runs a command in a container and returns its output and exit code; DeadlineExceeded after the request's timeout (seconds).</summary>
    Task<ExecSyncResponse> ExecSyncAsync(ExecSyncRequest request, CancellationToken cancellationToken);

    /// <summary>Prepares a streaming URL for a command in a container.</summary>
    Task<ExecResponse> ExecAsync(ExecRequest request, CancellationToken cancellationToken);

    /// <summary>Prepares a streaming URL attached to a running container.</summary>
    Task<AttachResponse> AttachAsync(AttachRequest request, CancellationToken cancellationToken);

    /// <summary>Prepares a streaming URL that forwards ports of a sandbox.</summary>
    Task<PortForwardResponse> PortForwardAsync(PortForwardRequest request, CancellationToken cancellationToken);

    /// <summary>The resource usage of a container; NotFound when it is absent.</summary>
    Task<ContainerStatsResponse> ContainerStatsAsync(ContainerStatsRequest request, CancellationToken cancellationToken);

    /// <summary>The resource usage of the running containers that match the filter.</summary>
    Task<ListContainerStatsResponse> ListContainerStatsAsync(ListContainerStatsRequest request, CancellationToken cancellationToken);

    /// <summary>As ListContainerStats, in parts; Unimplemented by runtimes before Kubernetes 1.36.</summary>
    IAsyncEnumerable<StreamContainerStatsResponse> StreamContainerStatsAsync(StreamContainerStatsRequest request, CancellationToken cancellationToken);

    /// <summary>The resource usage of a sandbox; NotFound when it is absent.</summary>
    Task<PodSandboxStatsResponse> PodSandboxStatsAsync(PodSandboxStatsRequest request, CancellationToken cancellationToken);

    /// <summary>The resource usage of the sandboxes that match the filter.</summary>
    Task<ListPodSandboxStatsResponse> ListPodSandboxStatsAsync(ListPodSandboxStatsRequest request, CancellationToken cancellationToken);

    /// <summary>As ListPodSandboxStats, in parts; Unimplemented by runtimes before Kubernetes 1.36.</summary>
    IAsyncEnumerable<StreamPodSandboxStatsResponse> StreamPodSandboxStatsAsync(StreamPodSandboxStatsRequest request, CancellationToken cancellationToken);

    /// <summary>Tells the runtime the kubelet's configuration (the Pod CIDR).</summary>
    Task<UpdateRuntimeConfigResponse> UpdateRuntimeConfigAsync(UpdateRuntimeConfigRequest request, CancellationToken cancellationToken);

    /// <summary>The runtime's conditions and features.</summary>
    Task<StatusResponse> StatusAsync(StatusRequest request, CancellationToken cancellationToken);

    /// <summary>Writes a checkpoint of a container to a file.</summary>
    Task<CheckpointContainerResponse> CheckpointContainerAsync(CheckpointContainerRequest request, CancellationToken cancellationToken);

    /// <summary>The lifecycle events of all containers from now on; the sequence ends only with an error or by cancellation.</summary>
    IAsyncEnumerable<ContainerEventResponse> GetContainerEventsAsync(GetEventsRequest request, CancellationToken cancellationToken);

    /// <summary>The metrics that ListPodSandboxMetrics may return; constant while the runtime lives.</summary>
    Task<ListMetricDescriptorsResponse> ListMetricDescriptorsAsync(ListMetricDescriptorsRequest request, CancellationToken cancellationToken);

    /// <summary>The metrics of all sandboxes.</summary>
    Task<ListPodSandboxMetricsResponse> ListPodSandboxMetricsAsync(ListPodSandboxMetricsRequest request, CancellationToken cancellationToken);

    /// <summary>As ListPodSandboxMetrics, in parts; Unimplemented by runtimes before Kubernetes 1.36.</summary>
    IAsyncEnumerable<StreamPodSandboxMetricsResponse> StreamPodSandboxMetricsAsync(StreamPodSandboxMetricsRequest request, CancellationToken cancellationToken);

    /// <summary>What the runtime tells the kubelet: its cgroup driver.</summary>
    Task<RuntimeConfigResponse> RuntimeConfigAsync(RuntimeConfigRequest request, CancellationToken cancellationToken);

    /// <summary>Tells the runtime the new resources of a whole Pod, after the kubelet has changed its cgroup.</summary>
    Task<UpdatePodSandboxResourcesResponse> UpdatePodSandboxResourcesAsync(UpdatePodSandboxResourcesRequest request, CancellationToken cancellationToken);
}

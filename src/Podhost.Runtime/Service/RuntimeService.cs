using System.Runtime.CompilerServices;
using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Runtime.Containers;
using Podhost.Runtime.Processes;
using Podhost.Runtime.Sandboxes;
using Podhost.Runtime.Stats;
using Podhost.Streaming.Server;

namespace Podhost.Runtime.Service;

/// <summary>The verbs of the runtime, each made by its own class.</summary>
internal sealed record RuntimeVerbs
{
    internal required SandboxManager Sandboxes { get; init; }

    internal required ContainerCreator Creator { get; init; }

    internal required ContainerStarter Starter { get; init; }

    internal required ContainerStopper Stopper { get; init; }

    internal required ContainerRemover Remover { get; init; }

    internal required ResourceUpdater Updater { get; init; }

    internal required LogReopener LogReopener { get; init; }

    internal required ExecSyncRunner ExecSync { get; init; }

    internal required StatsReader Stats { get; init; }

    internal required MetricsReader Metrics { get; init; }

    internal required StreamingServer Streaming { get; init; }
}

/// <summary>CRI's RuntimeService over the embedded runtime: finds the object, calls the verb, maps the answer.</summary>
internal sealed partial class RuntimeService(RuntimeContext context, RuntimeVerbs verbs) : IRuntimeService
{
    private const int StreamBatch = 100;

    public async Task<RunPodSandboxResponse> RunPodSandboxAsync(RunPodSandboxRequest request, CancellationToken cancellationToken) =>
        await Guard(async () => new RunPodSandboxResponse { PodSandboxId = await verbs.Sandboxes.RunAsync(request, cancellationToken) });

    public async Task<StopPodSandboxResponse> StopPodSandboxAsync(StopPodSandboxRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            await verbs.Sandboxes.StopAsync(request.PodSandboxId, cancellationToken);
            return new StopPodSandboxResponse();
        });

    public async Task<RemovePodSandboxResponse> RemovePodSandboxAsync(RemovePodSandboxRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            await verbs.Sandboxes.RemoveAsync(request.PodSandboxId, cancellationToken);
            return new RemovePodSandboxResponse();
        });

    public Task<PodSandboxStatusResponse> PodSandboxStatusAsync(PodSandboxStatusRequest request, CancellationToken cancellationToken)
    {
        var sandbox = context.State.GetSandbox(request.PodSandboxId);
        var response = new PodSandboxStatusResponse { Status = StatusMapper.Status(sandbox), Timestamp = context.Now };
        response.ContainersStatuses.AddRange(context.State.ContainersOf(sandbox.Id).Where(container => container.IsVisible).Select(StatusMapper.Status));
        if (request.Verbose)
        {
            response.Info["pid"] = sandbox.Record.InfraPid.ToString(System.Globalization.CultureInfo.InvariantCulture);
            response.Info["cgroup"] = sandbox.Record.CgroupPath;
        }

        return Task.FromResult(response);
    }

    public Task<ListPodSandboxResponse> ListPodSandboxAsync(ListPodSandboxRequest request, CancellationToken cancellationToken)
    {
        var response = new ListPodSandboxResponse();
        response.Items.AddRange(Select(request.Filter));
        return Task.FromResult(response);
    }

    public async IAsyncEnumerable<StreamPodSandboxesResponse> StreamPodSandboxesAsync(
        StreamPodSandboxesRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var batch in Select(request.Filter).Chunk(StreamBatch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var response = new StreamPodSandboxesResponse();
            response.PodSandboxes.AddRange(batch);
            yield return response;
        }
    }

    public async Task<CreateContainerResponse> CreateContainerAsync(CreateContainerRequest request, CancellationToken cancellationToken) =>
        await Guard(async () => new CreateContainerResponse { ContainerId = await verbs.Creator.CreateAsync(request, cancellationToken) });

    public async Task<StartContainerResponse> StartContainerAsync(StartContainerRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            await verbs.Starter.StartAsync(request.ContainerId, cancellationToken);
            return new StartContainerResponse();
        });

    public async Task<StopContainerResponse> StopContainerAsync(StopContainerRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            if (context.State.FindContainer(request.ContainerId) is { } container)
            {
                await verbs.Stopper.StopAsync(container, TimeSpan.FromSeconds(Math.Clamp(request.Timeout, 0, int.MaxValue / 1000)), cancellationToken);
            }

            return new StopContainerResponse();
        });

    public async Task<RemoveContainerResponse> RemoveContainerAsync(RemoveContainerRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            if (context.State.FindContainer(request.ContainerId) is { } container)
            {
                await verbs.Remover.RemoveAsync(container, cancellationToken);
            }

            return new RemoveContainerResponse();
        });

    public Task<ListContainersResponse> ListContainersAsync(ListContainersRequest request, CancellationToken cancellationToken)
    {
        var response = new ListContainersResponse();
        response.Containers.AddRange(Select(request.Filter));
        return Task.FromResult(response);
    }

    public async IAsyncEnumerable<StreamContainersResponse> StreamContainersAsync(
        StreamContainersRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var batch in Select(request.Filter).Chunk(StreamBatch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var response = new StreamContainersResponse();
            response.Containers.AddRange(batch);
            yield return response;
        }
    }

    public Task<ContainerStatusResponse> ContainerStatusAsync(ContainerStatusRequest request, CancellationToken cancellationToken)
    {
        var container = context.State.GetContainer(request.ContainerId);
        var response = new ContainerStatusResponse { Status = StatusMapper.Status(container) };
        if (request.Verbose)
        {
            response.Info["pid"] = container.Record.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture);
            response.Info["sandboxID"] = container.Record.SandboxId;
            response.Info["cgroup"] = container.Record.CgroupPath;
        }

        return Task.FromResult(response);
    }

    public async Task<UpdateContainerResourcesResponse> UpdateContainerResourcesAsync(UpdateContainerResourcesRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            await verbs.Updater.UpdateAsync(request.ContainerId, request.Linux, cancellationToken);
            return new UpdateContainerResourcesResponse();
        });

    public async Task<ReopenContainerLogResponse> ReopenContainerLogAsync(ReopenContainerLogRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            await verbs.LogReopener.ReopenAsync(request.ContainerId, cancellationToken);
            return new ReopenContainerLogResponse();
        });

    public async Task<ExecSyncResponse> ExecSyncAsync(ExecSyncRequest request, CancellationToken cancellationToken) =>
        await Guard(() => verbs.ExecSync.RunAsync(request, cancellationToken));

    public IAsyncEnumerable<ContainerEventResponse> GetContainerEventsAsync(GetEventsRequest request, CancellationToken cancellationToken) =>
        context.Events.Subscribe(cancellationToken);

    // What the kernel or a file system refuses is Internal to a client of CRI, with the reason.
    private static async Task<T> Guard<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new RpcException(new Status(StatusCode.Internal, failure.Message, failure));
        }
    }

    private IEnumerable<PodSandbox> Select(PodSandboxFilter? filter) => context.State.Sandboxes
        .Where(sandbox => sandbox.IsVisible
            && (filter is null || sandbox.Id.StartsWith(filter.Id, StringComparison.Ordinal))
            && (filter?.State is null || filter.State.State == sandbox.State)
            && (filter is null || StatusMapper.Matches(sandbox.Record.Config.Labels, filter.LabelSelector)))
        .OrderByDescending(sandbox => sandbox.Record.CreatedAt)
        .Select(StatusMapper.Item);

    private IEnumerable<Cri.V1.Container> Select(ContainerFilter? filter) => context.State.Containers
        .Where(container => container.IsVisible
            && (filter is null || container.Id.StartsWith(filter.Id, StringComparison.Ordinal))
            && (filter is null || container.Record.SandboxId.StartsWith(filter.PodSandboxId, StringComparison.Ordinal))
            && (filter?.State is null || filter.State.State == container.State)
            && (filter is null || StatusMapper.Matches(container.Record.Config.Labels, filter.LabelSelector)))
        .OrderByDescending(container => container.Record.CreatedAt)
        .Select(StatusMapper.Item);
}

using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;

namespace Podhost.Simulation.Tests;

/// <summary>A container runtime in memory with CRI's semantics, and faults by chance: calls that fail before or after their work, lost and doubled events.</summary>
internal sealed class FakeRuntime(TimeProvider time, Random random, Steps steps) : IRuntimeService, IImageService
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, PodSandboxStatus> sandboxes = [];
    private readonly Dictionary<string, (ContainerStatus Status, string SandboxId)> containers = [];
    private readonly List<Channel<ContainerEventResponse>> listeners = [];
    private int ids;
    private int calls;
    private bool hasImage;

    /// <summary>Chance of a failing call, of a slow one and of a lost or doubled event, of 100.</summary>
    public int Faults { get; set; }

    /// <summary>Every effect of the node passes here.</summary>
    public Steps Steps => steps;

    /// <summary>Counts calls: what does not change is idle.</summary>
    public int Calls => Volatile.Read(ref calls);

    /// <summary>Broken promises of the kubelet: a second start of a live name, a second live sandbox.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    public int LiveContainers
    {
        get
        {
            lock (gate)
            {
                return containers.Values.Count(c => c.Status.State == ContainerState.ContainerRunning);
            }
        }
    }

    public (int Sandboxes, int Containers) Counts
    {
        get
        {
            lock (gate)
            {
                return (sandboxes.Count, containers.Count);
            }
        }
    }

    public IReadOnlyList<(string Id, string Name, uint Attempt)> Running()
    {
        lock (gate)
        {
            return [.. containers.Values.Where(c => c.Status.State == ContainerState.ContainerRunning).Select(c => (c.Status.Id, c.Status.Metadata.Name, c.Status.Metadata.Attempt))];
        }
    }

    /// <summary>Ends a container by itself.</summary>
    public void Exit(string name, int code)
    {
        lock (gate)
        {
            foreach (var (status, _) in containers.Values.Where(c => c.Status.Metadata.Name == name && c.Status.State == ContainerState.ContainerRunning).ToList())
            {
                End(status, code);
            }
        }
    }

    public void KillSandboxes()
    {
        lock (gate)
        {
            foreach (var sandbox in sandboxes.Values)
            {
                sandbox.State = PodSandboxState.SandboxNotready;
                Tell(sandbox.Metadata.Uid);
            }
        }
    }

    public Task<VersionResponse> VersionAsync(VersionRequest request, CancellationToken cancellationToken) =>
        Task.FromResult(new VersionResponse { RuntimeName = "podhost", RuntimeVersion = "0", RuntimeApiVersion = "v1", Version = "0.1.0" });

    public Task<RunPodSandboxResponse> RunPodSandboxAsync(RunPodSandboxRequest request, CancellationToken cancellationToken) => Call("RunPodSandbox", () =>
    {
        var m = request.Config.Metadata;
        if (sandboxes.Values.Any(s => s.Metadata.Uid == m.Uid && s.State == PodSandboxState.SandboxReady))
        {
            Complaints.Enqueue("a second live sandbox");
        }

        var id = "s" + ++ids;
        var status = new PodSandboxStatus
        {
            Id = id, Metadata = m, State = PodSandboxState.SandboxReady, CreatedAt = Nanoseconds(), Network = new PodSandboxNetworkStatus { Ip = "10.0.0." + ids },
        };
        status.Labels.Add(request.Config.Labels);
        sandboxes[id] = status;
        Tell(m.Uid);
        return new RunPodSandboxResponse { PodSandboxId = id };
    }, cancellationToken);

    public Task<StopPodSandboxResponse> StopPodSandboxAsync(StopPodSandboxRequest request, CancellationToken cancellationToken) => Call("StopPodSandbox", () =>
    {
        if (sandboxes.TryGetValue(request.PodSandboxId, out var sandbox))
        {
            foreach (var (status, _) in containers.Values.Where(c => c.SandboxId == request.PodSandboxId && c.Status.State == ContainerState.ContainerRunning).ToList())
            {
                End(status, 137);
            }

            sandbox.State = PodSandboxState.SandboxNotready;
            Tell(sandbox.Metadata.Uid);
        }

        return new StopPodSandboxResponse();
    }, cancellationToken);

    public Task<RemovePodSandboxResponse> RemovePodSandboxAsync(RemovePodSandboxRequest request, CancellationToken cancellationToken) => Call("RemovePodSandbox", () =>
    {
        if (sandboxes.Remove(request.PodSandboxId, out var sandbox))
        {
            foreach (var id in containers.Where(c => c.Value.SandboxId == request.PodSandboxId).Select(c => c.Key).ToList())
            {
                containers.Remove(id);
            }

            Tell(sandbox.Metadata.Uid);
        }

        return new RemovePodSandboxResponse();
    }, cancellationToken);

    public Task<PodSandboxStatusResponse> PodSandboxStatusAsync(PodSandboxStatusRequest request, CancellationToken cancellationToken) => Read(() =>
        new PodSandboxStatusResponse { Status = sandboxes.TryGetValue(request.PodSandboxId, out var s) ? s.Clone() : throw NotFound(request.PodSandboxId) });

    public Task<ListPodSandboxResponse> ListPodSandboxAsync(ListPodSandboxRequest request, CancellationToken cancellationToken) => Read(() =>
    {
        var response = new ListPodSandboxResponse();
        foreach (var s in sandboxes.Values.Where(s => Selected(s.Labels, request.Filter?.LabelSelector)))
        {
            var item = new PodSandbox { Id = s.Id, Metadata = s.Metadata, State = s.State, CreatedAt = s.CreatedAt };
            item.Labels.Add(s.Labels);
            response.Items.Add(item);
        }

        return response;
    });

    public Task<CreateContainerResponse> CreateContainerAsync(CreateContainerRequest request, CancellationToken cancellationToken) => Call("CreateContainer", () =>
    {
        var m = request.Config.Metadata;
        if (!sandboxes.TryGetValue(request.PodSandboxId, out var sandbox) || sandbox.State != PodSandboxState.SandboxReady)
        {
            throw new RpcException(new Grpc.Core.Status(StatusCode.FailedPrecondition, "sandbox is not ready"));
        }

        if (containers.Values.Any(c => c.SandboxId == request.PodSandboxId && c.Status.Metadata.Name == m.Name && c.Status.State == ContainerState.ContainerRunning))
        {
            Complaints.Enqueue($"container {m.Name} runs already");
        }

        var id = "c" + ++ids;
        var status = new ContainerStatus { Id = id, Metadata = m, State = ContainerState.ContainerCreated, CreatedAt = Nanoseconds(), ImageRef = "img" };
        status.Labels.Add(request.Config.Labels);
        status.Annotations.Add(request.Config.Annotations);
        containers[id] = (status, request.PodSandboxId);
        Tell(sandbox.Metadata.Uid);
        return new CreateContainerResponse { ContainerId = id };
    }, cancellationToken);

    public Task<StartContainerResponse> StartContainerAsync(StartContainerRequest request, CancellationToken cancellationToken) => Call("StartContainer", () =>
    {
        var status = Find(request.ContainerId);
        status.State = ContainerState.ContainerRunning;
        status.StartedAt = Nanoseconds();
        Tell(UidOf(status));
        return new StartContainerResponse();
    }, cancellationToken);

    public Task<StopContainerResponse> StopContainerAsync(StopContainerRequest request, CancellationToken cancellationToken) => Call("StopContainer", () =>
    {
        var status = Find(request.ContainerId);
        if (status.State == ContainerState.ContainerRunning)
        {
            End(status, 143);
        }

        return new StopContainerResponse();
    }, cancellationToken);

    public Task<RemoveContainerResponse> RemoveContainerAsync(RemoveContainerRequest request, CancellationToken cancellationToken) => Call("RemoveContainer", () =>
    {
        if (containers.TryGetValue(request.ContainerId, out var c))
        {
            if (c.Status.State == ContainerState.ContainerRunning)
            {
                Complaints.Enqueue($"container {c.Status.Metadata.Name} is removed alive");
            }

            containers.Remove(request.ContainerId);
            Tell(UidOf(c.Status));
        }

        return new RemoveContainerResponse();
    }, cancellationToken);

    public Task<ListContainersResponse> ListContainersAsync(ListContainersRequest request, CancellationToken cancellationToken) => Read(() =>
    {
        var response = new ListContainersResponse();
        foreach (var (s, sandbox) in containers.Values.Where(c => Selected(c.Status.Labels, request.Filter?.LabelSelector)))
        {
            var item = new Container { Id = s.Id, PodSandboxId = sandbox, Metadata = s.Metadata, State = s.State, CreatedAt = s.CreatedAt };
            item.Labels.Add(s.Labels);
            response.Containers.Add(item);
        }

        return response;
    });

    public Task<ContainerStatusResponse> ContainerStatusAsync(ContainerStatusRequest request, CancellationToken cancellationToken) =>
        Read(() => new ContainerStatusResponse { Status = Find(request.ContainerId).Clone() });

    public async IAsyncEnumerable<ContainerEventResponse> GetContainerEventsAsync(GetEventsRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<ContainerEventResponse>();
        lock (gate)
        {
            listeners.Add(channel);
        }

        await foreach (var e in channel.Reader.ReadAllAsync(cancellationToken))
        {
            yield return e;
        }
    }

    public Task<ImageStatusResponse> ImageStatusAsync(ImageStatusRequest request, CancellationToken cancellationToken) =>
        Call("ImageStatus", () => new ImageStatusResponse { Image = hasImage ? new Image { Id = "sha256:img", Size = 1 } : null }, cancellationToken);

    public Task<PullImageResponse> PullImageAsync(PullImageRequest request, CancellationToken cancellationToken) => Call("PullImage", () =>
    {
        hasImage = true;
        return new PullImageResponse { ImageRef = "sha256:img" };
    }, cancellationToken);

    public Task<ListImagesResponse> ListImagesAsync(ListImagesRequest request, CancellationToken cancellationToken) => Task.FromResult(new ListImagesResponse());

    public Task<StatusResponse> StatusAsync(StatusRequest request, CancellationToken cancellationToken) => Task.FromResult(new StatusResponse { Status = new RuntimeStatus() });

    private async Task<T> Call<T>(string step, Func<T> work, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref calls);
        await steps.BeforeAsync(step, cancellationToken);
        var (fault, slow) = Draw();
        if (slow > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(slow), time, cancellationToken);
        }

        if (fault == 0)
        {
            throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "fault before"));
        }

        T result;
        lock (gate)
        {
            result = work();
        }

        await steps.AfterAsync(step, cancellationToken);
        return fault == 1 ? throw new RpcException(new Grpc.Core.Status(StatusCode.DeadlineExceeded, "fault after")) : result;
    }

    /// <summary>What goes wrong with a call: it fails before (0) or after (1) its work, or lasts some seconds.</summary>
    private (int Fault, int Slow) Draw()
    {
        lock (gate)
        {
            return (random.Next(100) < Faults ? random.Next(2) : -1, random.Next(200) < Faults ? random.Next(1, 20) : 0);
        }
    }

    private async Task<T> Read<T>(Func<T> work)
    {
        Interlocked.Increment(ref calls);
        await Task.Yield();
        lock (gate)
        {
            return work();
        }
    }

    private void End(ContainerStatus status, int code)
    {
        status.State = ContainerState.ContainerExited;
        status.ExitCode = code;
        status.FinishedAt = Nanoseconds();
        status.Reason = code == 0 ? "Completed" : "Error";
        Tell(UidOf(status));
    }

    private void Tell(string uid)
    {
        var copies = random.Next(100) < Faults ? random.Next(3) : 1;
        for (var i = 0; i < copies; i++)
        {
            foreach (var listener in listeners)
            {
                listener.Writer.TryWrite(new ContainerEventResponse { PodSandboxStatus = new PodSandboxStatus { Metadata = new PodSandboxMetadata { Uid = uid, Name = "p", Namespace = "ns" } } });
            }
        }
    }

    private ContainerStatus Find(string id) => containers.TryGetValue(id, out var c) ? c.Status : throw NotFound(id);

    private static string UidOf(ContainerStatus status) => status.Labels["io.kubernetes.pod.uid"];

    private static RpcException NotFound(string id) => new(new Grpc.Core.Status(StatusCode.NotFound, $"{id} not found"));

    private static bool Selected(IDictionary<string, string> labels, IDictionary<string, string>? selector) =>
        selector is null || selector.All(s => labels.TryGetValue(s.Key, out var v) && v == s.Value);

    private long Nanoseconds() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    public IAsyncEnumerable<StreamImagesResponse> StreamImagesAsync(StreamImagesRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<RemoveImageResponse> RemoveImageAsync(RemoveImageRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ImageFsInfoResponse> ImageFsInfoAsync(ImageFsInfoRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<StreamPodSandboxesResponse> StreamPodSandboxesAsync(StreamPodSandboxesRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<StreamContainersResponse> StreamContainersAsync(StreamContainersRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<UpdateContainerResourcesResponse> UpdateContainerResourcesAsync(UpdateContainerResourcesRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ReopenContainerLogResponse> ReopenContainerLogAsync(ReopenContainerLogRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ExecSyncResponse> ExecSyncAsync(ExecSyncRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ExecResponse> ExecAsync(ExecRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<AttachResponse> AttachAsync(AttachRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<PortForwardResponse> PortForwardAsync(PortForwardRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ContainerStatsResponse> ContainerStatsAsync(ContainerStatsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ListContainerStatsResponse> ListContainerStatsAsync(ListContainerStatsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<StreamContainerStatsResponse> StreamContainerStatsAsync(StreamContainerStatsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<PodSandboxStatsResponse> PodSandboxStatsAsync(PodSandboxStatsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ListPodSandboxStatsResponse> ListPodSandboxStatsAsync(ListPodSandboxStatsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<StreamPodSandboxStatsResponse> StreamPodSandboxStatsAsync(StreamPodSandboxStatsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<UpdateRuntimeConfigResponse> UpdateRuntimeConfigAsync(UpdateRuntimeConfigRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<CheckpointContainerResponse> CheckpointContainerAsync(CheckpointContainerRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ListMetricDescriptorsResponse> ListMetricDescriptorsAsync(ListMetricDescriptorsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ListPodSandboxMetricsResponse> ListPodSandboxMetricsAsync(ListPodSandboxMetricsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<StreamPodSandboxMetricsResponse> StreamPodSandboxMetricsAsync(StreamPodSandboxMetricsRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<RuntimeConfigResponse> RuntimeConfigAsync(RuntimeConfigRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<UpdatePodSandboxResourcesResponse> UpdatePodSandboxResourcesAsync(UpdatePodSandboxResourcesRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();
}

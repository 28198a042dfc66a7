using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>Looks at the runtime through CRI, a pod at a time. An ended container never changes: it is asked for once.</summary>
internal sealed class PodRuntimeObserver(IRuntimeService runtime, TerminationMessages messages, TimeProvider time) : IPodRuntimeObserver
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, ContainerView>> ended = new(StringComparer.Ordinal);
    private long sequence;

    /// <inheritdoc/>
    public async Task<RuntimeLook> LookAsync(string podUid, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref sequence);
        var at = time.GetUtcNow();
        var sandboxes = await SandboxesAsync(podUid, cancellationToken).ConfigureAwait(false);
        var containers = await ContainersAsync(podUid, cancellationToken).ConfigureAwait(false);
        return new RuntimeLook(number, new RuntimeView(at, sandboxes, containers));
    }

    /// <inheritdoc/>
    public void Forget(string podUid) => ended.TryRemove(podUid, out _);

    private async Task<ImmutableArray<SandboxView>> SandboxesAsync(string podUid, CancellationToken cancellationToken)
    {
        var filter = new PodSandboxFilter();
        filter.LabelSelector[CriLabels.PodUid] = podUid;
        var list = await runtime.ListPodSandboxAsync(new ListPodSandboxRequest { Filter = filter }, cancellationToken).ConfigureAwait(false);
        var views = new List<SandboxView>();
        foreach (var item in list.Items)
        {
            if (item.State == PodSandboxState.SandboxNotready)
            {
                views.Add(new SandboxView(item.Id, item.Metadata?.Attempt ?? 0, false, CriTime.At(item.CreatedAt), []) { Handler = item.RuntimeHandler });
            }
            else if (await SandboxAsync(item.Id, cancellationToken).ConfigureAwait(false) is { } view)
            {
                views.Add(view);
            }
        }

        return [.. views.OrderByDescending(v => v.CreatedAt).ThenByDescending(v => v.Attempt)];
    }

    private async Task<SandboxView?> SandboxAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = id }, cancellationToken).ConfigureAwait(false);
            var status = answer.Status;
            var ips = ImmutableArray.CreateBuilder<string>();
            if (!string.IsNullOrEmpty(status.Network?.Ip))
            {
                ips.Add(status.Network.Ip);
                ips.AddRange(status.Network.AdditionalIps.Select(a => a.Ip));
            }

            return new SandboxView(id, status.Metadata?.Attempt ?? 0, status.State == PodSandboxState.SandboxReady, CriTime.At(status.CreatedAt), ips.ToImmutable())
            {
                Handler = status.RuntimeHandler,
            };
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task<ImmutableArray<ContainerView>> ContainersAsync(string podUid, CancellationToken cancellationToken)
    {
        var filter = new ContainerFilter();
        filter.LabelSelector[CriLabels.PodUid] = podUid;
        var list = await runtime.ListContainersAsync(new ListContainersRequest { Filter = filter }, cancellationToken).ConfigureAwait(false);
        var known = ended.GetOrAdd(podUid, _ => new(StringComparer.Ordinal));
        var views = new List<ContainerView>();
        foreach (var item in list.Containers)
        {
            if (known.TryGetValue(item.Id, out var view))
            {
                views.Add(view);
            }
            else if (await ContainerAsync(item, cancellationToken).ConfigureAwait(false) is { } seen)
            {
                views.Add(seen);
                if (seen.State == RunState.Exited)
                {
                    known[item.Id] = seen;
                }
            }
        }

        foreach (var id in known.Keys)
        {
            if (!list.Containers.Any(c => c.Id == id))
            {
                known.TryRemove(id, out _);
            }
        }

        return [.. views.OrderByDescending(v => v.CreatedAt).ThenByDescending(v => v.Attempt)];
    }

    private async Task<ContainerView?> ContainerAsync(Container item, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await runtime.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = item.Id }, cancellationToken).ConfigureAwait(false);
            return View(item, answer.Status);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    private ContainerView View(Container item, ContainerStatus status)
    {
        var state = status.State switch
        {
            ContainerState.ContainerCreated => RunState.Created,
            ContainerState.ContainerRunning => RunState.Running,
            ContainerState.ContainerExited => RunState.Exited,
            _ => RunState.Unknown,
        };
        var user = status.User?.Linux;
        return new ContainerView
        {
            Id = item.Id,
            Name = item.Labels.TryGetValue(CriLabels.ContainerName, out var name) ? name : status.Metadata?.Name ?? "",
            SandboxId = item.PodSandboxId,
            Attempt = status.Metadata?.Attempt ?? 0,
            State = state,
            CreatedAt = CriTime.At(status.CreatedAt),
            StartedAt = CriTime.At(status.StartedAt),
            FinishedAt = CriTime.At(status.FinishedAt),
            ExitCode = status.ExitCode,
            Reason = state == RunState.Exited ? status.Reason : "",
            Message = state == RunState.Exited ? messages.Of(status) : "",
            Image = string.IsNullOrEmpty(status.Image?.UserSpecifiedImage) ? status.Image?.Image ?? "" : status.Image.UserSpecifiedImage,
            ImageRef = status.ImageRef,
            SpecHash = status.Annotations.TryGetValue(CriLabels.Hash, out var hash) ? hash : "",
            Kind = status.Annotations.TryGetValue(CriLabels.ContainerType, out var type) ? KindOf(type) : null,
            Grace = GraceOf(status.Annotations),
            LogPath = status.LogPath,
            User = user is null ? null : new RunAs(user.Uid, user.Gid, [.. user.SupplementalGroups]),
        };
    }

    /// <summary>Of a deletion before that of the spec, as upstream restores it (kuberuntime's restoreSpecsFromContainerLabels).</summary>
    private static TimeSpan? GraceOf(IDictionary<string, string> annotations) =>
        (annotations.TryGetValue(CriLabels.DeletionGracePeriod, out var text) || annotations.TryGetValue(CriLabels.TerminationGracePeriod, out text))
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static ContainerKind? KindOf(string type) => type switch
    {
        "init" => ContainerKind.Init,
        "ephemeral" => ContainerKind.Ephemeral,
        _ => ContainerKind.Main,
    };
}

/// <summary>CRI's times: nanoseconds since 1970, 0 for none.</summary>
internal static class CriTime
{
    public static DateTimeOffset At(long nanoseconds) => nanoseconds <= 0 ? default : DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);
}

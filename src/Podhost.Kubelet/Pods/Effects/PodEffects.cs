using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Cri.Services;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Images;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;
using Podhost.Kubelet.Probes;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>What effects work on.</summary>
internal sealed record PodEffectServices
{
    public required IRuntimeService Runtime { get; init; }

    public required ImagePuller Images { get; init; }

    public required IContainerConfigFactory Configs { get; init; }

    public required IVolumeManager Volumes { get; init; }

    public required IPodCgroups Cgroups { get; init; }

    public required ILifecycleHookRunner Hooks { get; init; }

    public required IRuntimeHandlers Handlers { get; init; }

    /// <summary>What the runtime can do.</summary>
    public Func<RuntimeTraits> Traits { get; init; } = () => RuntimeTraits.Unknown;

    public required TimeProvider Time { get; init; }

    /// <summary>For what goes wrong beside an effect.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Root of the pods' logs.</summary>
    public required string LogsDirectory { get; init; }

    /// <summary>Root of the kubelet's files, with <c>pods/&lt;uid&gt;</c> below it.</summary>
    public required string RootDirectory { get; init; }
}

/// <summary>The runtime's name for a RuntimeClass.</summary>
internal interface IRuntimeHandlers
{
    /// <summary>The handler of a RuntimeClass; empty for the default.</summary>
    Task<string> HandlerOfAsync(string? runtimeClassName, CancellationToken cancellationToken);
}

/// <summary>Hands each effect to its handler and turns every failure into a typed outcome. No policy: what to do about it is decided elsewhere.</summary>
internal sealed class PodEffects(PodEffectServices services) : IPodEffects
{
    private readonly CgroupEffects cgroups = new(services);
    private readonly VolumeEffects volumes = new(services);
    private readonly LogEffects logs = new(services);
    private readonly ImageEffects images = new(services);
    private readonly CreateSandboxEffect createSandbox = new(services);
    private readonly StopSandboxEffect stopSandbox = new(services);
    private readonly RemoveSandboxEffect removeSandbox = new(services);
    private readonly StartContainerEffect startContainer = new(services);
    private readonly StopContainerEffect stopContainer = new(services);
    private readonly RemoveContainerEffect removeContainer = new(services);
    private readonly ResizeContainerEffect resizeContainer = new(services);
    private readonly HookEffects hooks = new(services);

    /// <inheritdoc/>
    public async Task<EffectOutcome> RunAsync(PodEffect effect, EffectContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await DispatchAsync(effect, context, cancellationToken).ConfigureAwait(false);
        }
        catch (EffectException e)
        {
            return Failed(effect, e.Failure) with { Created = e.ContainerId.Length > 0, ContainerId = e.ContainerId };
        }
        catch (ContainerConfigException e)
        {
            return Failed(effect, new EffectFailure(FailureKind.Config, e.Reason, e.Message));
        }
        catch (VolumeException e)
        {
            return Failed(effect, new EffectFailure(FailureKind.Config, "FailedMount", e.Message));
        }
        catch (RpcException e) when (e.StatusCode != StatusCode.Cancelled || !cancellationToken.IsCancellationRequested)
        {
            return Failed(effect, new EffectFailure(FailureKind.Transient, "RuntimeError", RpcText.Of(e)));
        }
        catch (RpcException e)
        {
            throw new OperationCanceledException(e.Status.Detail, e, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException or Podhost.Api.Errors.ApiException)
        {
            return Failed(effect, new EffectFailure(FailureKind.Transient, "Error", e.Message));
        }
    }

    private Task<EffectOutcome> DispatchAsync(PodEffect effect, EffectContext context, CancellationToken ct) => effect switch
    {
        EnsureCgroup e => cgroups.EnsureAsync(e, context, ct),
        RemoveCgroup e => cgroups.RemoveAsync(e, context, ct),
        MountVolumes e => volumes.MountAsync(e, context, ct),
        UnmountVolumes e => volumes.UnmountAsync(e, context, ct),
        RemoveLogs e => logs.RemoveAsync(e, context, ct),
        InspectImage e => images.InspectAsync(e, context, ct),
        PullImage e => images.PullAsync(e, context, ct),
        CreateSandbox e => createSandbox.RunAsync(e, context, ct),
        StopSandbox e => stopSandbox.RunAsync(e, ct),
        RemoveSandbox e => removeSandbox.RunAsync(e, ct),
        StartContainer e => startContainer.RunAsync(e, context, ct),
        StopContainer e => stopContainer.RunAsync(e, ct),
        RemoveContainer e => removeContainer.RunAsync(e, ct),
        ResizeContainer e => resizeContainer.RunAsync(e, context, ct),
        RunPostStart e => hooks.PostStartAsync(e, context, ct),
        RunPreStop e => hooks.PreStopAsync(e, context, ct),
        _ => throw new InvalidOperationException($"no handler for {effect.GetType().Name}"),
    };

    private EffectOutcome Failed(PodEffect effect, EffectFailure failure) => new(effect, services.Time.GetUtcNow(), failure);
}

/// <summary>A failure that a handler has classified itself.</summary>
internal sealed class EffectException(EffectFailure failure, string containerId = "") : Exception(failure.Message)
{
    public EffectFailure Failure { get; } = failure;

    public string ContainerId { get; } = containerId;
}

/// <summary>Outcome helpers of the handlers.</summary>
internal static class EffectServicesExtensions
{
    public static EffectOutcome Done(this PodEffectServices services, PodEffect effect) => new(effect, services.Time.GetUtcNow(), null);

    /// <summary>A deadline for one call to the runtime, so that a hung runtime ends as a failure and not as silence.</summary>
    public static CallDeadline Deadline(this PodEffectServices services, TimeSpan after, CancellationToken cancellationToken) => new(services.Time, after, cancellationToken);
}

/// <summary>A token that is cancelled with another one, or when its time is over.</summary>
internal sealed class CallDeadline : IDisposable
{
    private readonly CancellationTokenSource timeout;
    private readonly CancellationTokenSource linked;

    public CallDeadline(TimeProvider time, TimeSpan after, CancellationToken cancellationToken)
    {
        timeout = new CancellationTokenSource(after, time);
        linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
    }

    public CancellationToken Token => linked.Token;

    public void Dispose()
    {
        linked.Dispose();
        timeout.Dispose();
    }
}

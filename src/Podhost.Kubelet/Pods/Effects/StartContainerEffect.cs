using Grpc.Core;
using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Containers.Files;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>CreateContainer and StartContainer.</summary>
internal sealed class StartContainerEffect(PodEffectServices services)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly LogLinks links = new(services.LogsDirectory, services.Logger);

    public async Task<EffectOutcome> RunAsync(StartContainer effect, EffectContext context, CancellationToken cancellationToken)
    {
        var spec = ContainerSpec.Of(context.Pod).First(s => s.Name == effect.Container && s.Kind == effect.Kind);
        var sandbox = await services.Configs.CreateSandboxConfigAsync(context.Pod, context.SandboxAttempt, cancellationToken).ConfigureAwait(false);
        var config = await ConfigureAsync(effect, context, spec.Container, sandbox, cancellationToken).ConfigureAwait(false);
        using var deadline = services.Deadline(Limit, cancellationToken);
        var id = await CreateAsync(effect, sandbox, config, deadline.Token).ConfigureAwait(false);
        try
        {
            await services.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = id }, deadline.Token).ConfigureAwait(false);
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EffectException(new EffectFailure(FailureKind.Transient, "RunContainerError", e.Status.Detail), id);
        }

        links.Add(context.Pod, effect.Container, id, Path.Combine(sandbox.LogDirectory, config.LogPath));
        return services.Done(effect) with { Created = true, ContainerId = id };
    }

    private async Task<string> CreateAsync(StartContainer effect, PodSandboxConfig sandbox, ContainerConfig config, CancellationToken cancellationToken)
    {
        try
        {
            var request = new CreateContainerRequest { PodSandboxId = effect.SandboxId, Config = config, SandboxConfig = sandbox };
            return (await services.Runtime.CreateContainerAsync(request, cancellationToken).ConfigureAwait(false)).ContainerId;
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EffectException(new EffectFailure(FailureKind.Transient, "CreateContainerError", e.Status.Detail));
        }
    }

    private async Task<ContainerConfig> ConfigureAsync(
        StartContainer effect, EffectContext context, V1Container container, PodSandboxConfig sandbox, CancellationToken cancellationToken)
    {
        var image = await services.Images.GetAsync(effect.ImageRef, cancellationToken).ConfigureAwait(false)
            ?? throw new EffectException(new EffectFailure(FailureKind.Transient, "CreateContainerError", $"image \"{effect.ImageRef}\" was removed"));
        return await services.Configs.CreateContainerConfigAsync(
            new ContainerConfigRequest
            {
                Pod = context.Pod,
                Container = container,
                Kind = effect.Kind,
                TargetContainerId = effect.TargetContainerId,
                Attempt = effect.Attempt,
                PodIPs = context.PodIPs,
                ImageRef = effect.ImageRef,
                Image = image,
                Sandbox = sandbox,
                Mounts = await MountsAsync(effect, context.Pod, container, cancellationToken).ConfigureAwait(false),
            },
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<MountSupport> MountsAsync(StartContainer effect, V1Pod pod, V1Container container, CancellationToken cancellationToken)
    {
        var asks = container.VolumeMounts?.Any(m => m.RecursiveReadOnly is not (null or "Disabled")) == true;
        var handler = asks ? await services.Handlers.HandlerOfAsync(pod.Spec.RuntimeClassName, cancellationToken).ConfigureAwait(false) : "";
        return new MountSupport(
            asks && services.Traits().RecursiveReadOnly.Contains(handler), effect.Volumes.All.ToDictionary(v => v.Volume, v => v.ImageRef, StringComparer.Ordinal));
    }
}

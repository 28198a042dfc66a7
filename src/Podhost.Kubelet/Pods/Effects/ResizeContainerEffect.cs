using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>UpdateContainerResources with the resources of the spec.</summary>
internal sealed class ResizeContainerEffect(PodEffectServices services)
{
    public async Task<EffectOutcome> RunAsync(ResizeContainer effect, EffectContext context, CancellationToken cancellationToken)
    {
        var spec = ContainerSpec.Of(context.Pod).First(s => s.Name == effect.Container);
        var status = await services.Runtime.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = effect.ContainerId }, cancellationToken).ConfigureAwait(false);
        var image = await services.Images.GetAsync(status.Status.ImageId.Length > 0 ? status.Status.ImageId : status.Status.ImageRef, cancellationToken).ConfigureAwait(false);
        var sandbox = await services.Configs.CreateSandboxConfigAsync(context.Pod, context.SandboxAttempt, cancellationToken).ConfigureAwait(false);
        var config = await services.Configs.CreateContainerConfigAsync(
            new ContainerConfigRequest
            {
                Pod = context.Pod,
                Container = spec.Container,
                Kind = spec.Kind,
                Attempt = status.Status.Metadata.Attempt,
                PodIPs = context.PodIPs,
                ImageRef = status.Status.ImageRef,
                Image = image ?? new Image { Id = status.Status.ImageRef },
                Sandbox = sandbox,
            },
            cancellationToken).ConfigureAwait(false);
        await CheckUsageAsync(effect, config.Linux.Resources.MemoryLimitInBytes, cancellationToken).ConfigureAwait(false);
        await services.Runtime.UpdateContainerResourcesAsync(
            new UpdateContainerResourcesRequest { ContainerId = effect.ContainerId, Linux = config.Linux.Resources }, cancellationToken).ConfigureAwait(false);
        return services.Done(effect);
    }

    /// <summary>A limit below what the container uses would have the kernel kill it.</summary>
    private async Task CheckUsageAsync(ResizeContainer effect, long limit, CancellationToken cancellationToken)
    {
        if (limit <= 0)
        {
            return;
        }

        var answer = await services.Runtime.ContainerStatsAsync(new ContainerStatsRequest { ContainerId = effect.ContainerId }, cancellationToken).ConfigureAwait(false);
        if (answer.Stats?.Memory?.WorkingSetBytes?.Value is { } usage && usage > (ulong)limit)
        {
            throw new EffectException(new EffectFailure(
                FailureKind.Transient,
                "ResizeError",
                $"cannot decrease memory limits: attempting to set container \"{effect.Container}\" memory limit ({limit}) below current usage ({usage})"));
        }
    }
}

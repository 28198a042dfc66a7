using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>The pod's volumes.</summary>
internal sealed class VolumeEffects(PodEffectServices services)
{
    public async Task<EffectOutcome> MountAsync(MountVolumes effect, EffectContext context, CancellationToken cancellationToken)
    {
        await services.Volumes.MountAsync(context.Pod, context.PodIPs, cancellationToken).ConfigureAwait(false);
        return services.Done(effect);
    }

    public async Task<EffectOutcome> UnmountAsync(UnmountVolumes effect, EffectContext context, CancellationToken cancellationToken)
    {
        await services.Volumes.UnmountAsync(context.Pod.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        return services.Done(effect);
    }
}

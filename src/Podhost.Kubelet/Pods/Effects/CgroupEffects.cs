using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>The pod's cgroup.</summary>
internal sealed class CgroupEffects(PodEffectServices services)
{
    public async Task<EffectOutcome> EnsureAsync(EnsureCgroup effect, EffectContext context, CancellationToken cancellationToken)
    {
        await (effect.Widen ? services.Cgroups.WidenAsync(context.Pod, cancellationToken) : services.Cgroups.EnsureAsync(context.Pod, cancellationToken)).ConfigureAwait(false);
        return services.Done(effect);
    }

    public async Task<EffectOutcome> RemoveAsync(RemoveCgroup effect, EffectContext context, CancellationToken cancellationToken)
    {
        await services.Cgroups.RemoveAsync(context.Pod.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        return services.Done(effect);
    }
}

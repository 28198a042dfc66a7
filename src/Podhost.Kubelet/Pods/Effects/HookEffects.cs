using k8s.Models;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>postStart and preStop. How long a preStop hook may take is decided: it is cancelled when its time is over.</summary>
internal sealed class HookEffects(PodEffectServices services)
{
    public Task<EffectOutcome> PostStartAsync(RunPostStart effect, EffectContext context, CancellationToken cancellationToken) =>
        RunAsync(effect, effect.Container, effect.ContainerId, l => l.PostStart, "PostStartHookError", context, cancellationToken);

    public Task<EffectOutcome> PreStopAsync(RunPreStop effect, EffectContext context, CancellationToken cancellationToken) =>
        RunAsync(effect, effect.Container, effect.ContainerId, l => l.PreStop, "PreStopHookError", context, cancellationToken);

    private async Task<EffectOutcome> RunAsync(
        PodEffect effect, string name, string id, Func<V1Lifecycle, V1LifecycleHandler?> pick, string reason, EffectContext context, CancellationToken cancellationToken)
    {
        var spec = ContainerSpec.Of(context.Pod).FirstOrDefault(s => s.Name == name);
        if (spec?.Container.Lifecycle is not { } lifecycle || pick(lifecycle) is not { } handler)
        {
            return services.Done(effect);
        }

        var ip = context.PodIPs.Count > 0 ? context.PodIPs[0] : "";
        var outcome = await services.Hooks.RunAsync(context.Pod, spec.Container, id, ip, handler, DateTimeOffset.MaxValue, cancellationToken).ConfigureAwait(false);
        return outcome.Succeeded ? services.Done(effect) : throw new EffectException(new EffectFailure(FailureKind.Transient, reason, outcome.Message));
    }
}

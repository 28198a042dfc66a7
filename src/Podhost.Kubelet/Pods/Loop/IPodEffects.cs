using k8s.Models;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>Carries effects out.</summary>
internal interface IPodEffects
{
    /// <summary>Runs an effect to its end. Every failure is in the outcome; only cancellation is thrown.</summary>
    Task<EffectOutcome> RunAsync(PodEffect effect, EffectContext context, CancellationToken cancellationToken);
}

/// <summary>What an effect may look up.</summary>
/// <param name="Pod">The pod as it was when the effect was decided.</param>
/// <param name="PodIPs">Its addresses, primary first.</param>
/// <param name="SandboxAttempt">Attempt of its newest sandbox.</param>
internal sealed record EffectContext(V1Pod Pod, IReadOnlyList<string> PodIPs, uint SandboxAttempt);

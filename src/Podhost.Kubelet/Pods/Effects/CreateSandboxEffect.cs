using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>RunPodSandbox.</summary>
internal sealed class CreateSandboxEffect(PodEffectServices services)
{
    /// <summary>Upstream gives a sandbox twice the ordinary two minutes.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    public async Task<EffectOutcome> RunAsync(CreateSandbox effect, EffectContext context, CancellationToken cancellationToken)
    {
        var handler = await services.Handlers.HandlerOfAsync(context.Pod.Spec.RuntimeClassName, cancellationToken).ConfigureAwait(false);
        var config = await services.Configs.CreateSandboxConfigAsync(context.Pod, effect.Attempt, cancellationToken).ConfigureAwait(false);
        using var deadline = services.Deadline(Limit, cancellationToken);
        try
        {
            await services.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = config, RuntimeHandler = handler }, deadline.Token).ConfigureAwait(false);
            return services.Done(effect);
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EffectException(new EffectFailure(FailureKind.Transient, "CreatePodSandboxError", RpcText.Of(e)));
        }
    }
}

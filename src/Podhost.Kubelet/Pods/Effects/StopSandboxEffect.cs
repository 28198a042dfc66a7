using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>StopPodSandbox; one that is not there is stopped.</summary>
internal sealed class StopSandboxEffect(PodEffectServices services)
{
    public async Task<EffectOutcome> RunAsync(StopSandbox effect, CancellationToken cancellationToken)
    {
        try
        {
            await services.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = effect.SandboxId }, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            // What is asked for is so already.
        }

        return services.Done(effect);
    }
}

using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>RemovePodSandbox; one that is not there is removed.</summary>
internal sealed class RemoveSandboxEffect(PodEffectServices services)
{
    public async Task<EffectOutcome> RunAsync(RemoveSandbox effect, CancellationToken cancellationToken)
    {
        try
        {
            await services.Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = effect.SandboxId }, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            // What is asked for is so already.
        }

        return services.Done(effect);
    }
}

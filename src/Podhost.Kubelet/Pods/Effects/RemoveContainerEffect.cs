using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>RemoveContainer; one that is not there is removed.</summary>
internal sealed class RemoveContainerEffect(PodEffectServices services)
{
    public async Task<EffectOutcome> RunAsync(RemoveContainer effect, CancellationToken cancellationToken)
    {
        try
        {
            await services.Runtime.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = effect.ContainerId }, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            // What is asked for is so already.
        }

        return services.Done(effect);
    }
}

using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>StopContainer: the stop signal now, SIGKILL at the deadline; one that is not there is stopped.</summary>
internal sealed class StopContainerEffect(PodEffectServices services)
{
    public async Task<EffectOutcome> RunAsync(StopContainer effect, CancellationToken cancellationToken)
    {
        var left = effect.Deadline - services.Time.GetUtcNow();
        var seconds = (long)Math.Ceiling(Math.Max(0, left.TotalSeconds));
        try
        {
            await services.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = effect.ContainerId, Timeout = seconds }, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            // What is asked for is so already.
        }

        return services.Done(effect);
    }
}

using Grpc.Core;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>Whether an image is here, and to bring it here.</summary>
internal sealed class ImageEffects(PodEffectServices services)
{
    public async Task<EffectOutcome> InspectAsync(InspectImage effect, EffectContext context, CancellationToken cancellationToken)
    {
        try
        {
            var image = await services.Images.InspectAsync(context.Pod, effect.Image, cancellationToken).ConfigureAwait(false);
            return services.Done(effect) with { Image = image };
        }
        catch (RpcException e) when (e.StatusCode != StatusCode.Cancelled)
        {
            throw new EffectException(new EffectFailure(FailureKind.Transient, "ImageInspectError", RpcText.Of(e)));
        }
    }

    public async Task<EffectOutcome> PullAsync(PullImage effect, EffectContext context, CancellationToken cancellationToken)
    {
        try
        {
            var pulled = await services.Images.PullAsync(context.Pod, effect.Image, cancellationToken).ConfigureAwait(false);
            return services.Done(effect) with { Image = pulled.Image, Took = pulled.Took, TookWithWaiting = pulled.TookWithWaiting };
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EffectException(new EffectFailure(FailureKind.Transient, "ErrImagePull", RpcText.Of(e)));
        }
    }
}

using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>RunPodSandbox.</summary>
internal sealed class CreateSandboxEffect(PodEffectServices services)
{
    /// <summary>Upstream gives a sandbox twice the ordinary two minutes.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan StatusLimit = TimeSpan.FromMinutes(2);

    public async Task<EffectOutcome> RunAsync(CreateSandbox effect, EffectContext context, CancellationToken cancellationToken)
    {
        var handler = await services.Handlers.HandlerOfAsync(context.Pod.Spec.RuntimeClassName, cancellationToken).ConfigureAwait(false);
        if (context.Pod.Spec.HostUsers == false)
        {
            await CheckUserNamespacesAsync(handler, cancellationToken).ConfigureAwait(false);
        }

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

    /// <summary>A runtime that knows no user namespaces would run the pod with the machine's users.</summary>
    private async Task CheckUserNamespacesAsync(string handler, CancellationToken cancellationToken)
    {
        using var deadline = services.Deadline(StatusLimit, cancellationToken);
        var status = await services.Runtime.StatusAsync(new StatusRequest(), deadline.Token).ConfigureAwait(false);
        if (status.RuntimeHandlers.FirstOrDefault(h => h.Name == handler)?.Features?.UserNamespaces != true)
        {
            throw new ContainerConfigException(ContainerConfigReasons.CreatePodSandboxError, handler.Length == 0
                ? "can't set `spec.hostUsers: false`, runtime does not support user namespaces"
                : $"can't set `spec.hostUsers: false`, RuntimeClass handler \"{handler}\" does not support user namespaces");
        }
    }
}

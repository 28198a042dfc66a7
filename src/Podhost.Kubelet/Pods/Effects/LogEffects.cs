using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Containers.Files;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>The pod's log directory, and the links into it.</summary>
internal sealed class LogEffects(PodEffectServices services)
{
    private readonly LogLinks links = new(services.LogsDirectory, services.Logger);

    public Task<EffectOutcome> RemoveAsync(RemoveLogs effect, EffectContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var directory = PodNames.LogDirectory(services.LogsDirectory, context.Pod);
        links.Remove(directory);
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }

        return Task.FromResult(services.Done(effect));
    }
}

using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers.Files;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Effects;

/// <summary>RemoveContainer, and its logs; what is not there is removed.</summary>
internal sealed class RemoveContainerEffect(PodEffectServices services)
{
    private readonly LogLinks links = new(services.LogsDirectory, services.Logger);

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

        RemoveLogs(effect.LogPath);
        return services.Done(effect);
    }

    private void RemoveLogs(string log)
    {
        if (log.Length == 0 || Path.GetDirectoryName(log) is not { } directory || !Directory.Exists(directory))
        {
            return;
        }

        links.Remove(log);
        var rotated = log + ".";
        foreach (var file in Directory.GetFiles(directory).Where(f => f == log || f.StartsWith(rotated, StringComparison.Ordinal)))
        {
            File.Delete(file);
        }
    }
}

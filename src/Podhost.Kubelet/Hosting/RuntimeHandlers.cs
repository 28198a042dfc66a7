using k8s.Models;
using Podhost.Client;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Pods.Effects;

namespace Podhost.Kubelet.Hosting;

/// <summary>RuntimeClasses from the API server.</summary>
internal sealed class RuntimeHandlers(IApiClient? client) : IRuntimeHandlers
{
    /// <inheritdoc/>
    public async Task<string> HandlerOfAsync(string? runtimeClassName, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(runtimeClassName))
        {
            return "";
        }

        if (client is null)
        {
            throw new ContainerConfigException("CreatePodSandboxError", $"spec.runtimeClassName \"{runtimeClassName}\" needs an API server");
        }

        return (await client.GetAsync<V1RuntimeClass>(null, runtimeClassName, cancellationToken).ConfigureAwait(false)).Handler;
    }
}

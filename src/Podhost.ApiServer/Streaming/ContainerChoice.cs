using k8s.Models;
using Podhost.Api.Errors;

namespace Podhost.ApiServer.Streaming;

/// <summary>Which container of a pod a request means.</summary>
internal static class ContainerChoice
{
    /// <summary>The named container, or the only one.</summary>
    /// <exception cref="ApiException">400, phrased as upstream: no such container, or a name is needed.</exception>
    public static string Choose(V1Pod pod, string? asked)
    {
        var main = Names(pod.Spec.Containers?.Select(c => c.Name));
        var init = Names(pod.Spec.InitContainers?.Select(c => c.Name));
        var ephemeral = Names(pod.Spec.EphemeralContainers?.Select(c => c.Name));
        var name = pod.Metadata.Name;
        if (!string.IsNullOrEmpty(asked))
        {
            return main.Contains(asked) || init.Contains(asked) || ephemeral.Contains(asked)
                ? asked
                : throw ApiException.BadRequest($"container {asked} is not valid for pod {name}");
        }

        if (main.Count == 1)
        {
            return main[0];
        }

        var choices = $"choose one of: [{string.Join(' ', main)}]";
        if (init.Count > 0)
        {
            choices += $" or one of the init containers: [{string.Join(' ', init)}]";
        }

        if (ephemeral.Count > 0)
        {
            choices += $" or one of the ephemeral containers: [{string.Join(' ', ephemeral)}]";
        }

        throw ApiException.BadRequest($"a container name must be specified for pod {name}, {choices}");
    }

    private static List<string> Names(IEnumerable<string>? names) => [.. names ?? []];
}

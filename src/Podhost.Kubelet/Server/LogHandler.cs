using Microsoft.AspNetCore.Http;
using Podhost.Kubelet.Pods;
using Podhost.Kubelet.Server.Logs;

namespace Podhost.Kubelet.Server;

/// <summary>/containerLogs/&lt;namespace&gt;/&lt;pod&gt;/&lt;container&gt;.</summary>
internal sealed class LogHandler(IPodDirectory pods, PodLookup lookup, TimeProvider time)
{
    public async Task HandleAsync(HttpContext context, string ns, string name, string container)
    {
        var options = LogOptions.Parse(context.Request.Query, time.GetUtcNow());
        var pod = lookup.Pod(ns, name);
        var instance = lookup.ForLogs(pod, container, options.Previous);
        if (instance.LogPath.Length == 0)
        {
            throw KubeletRequestException.NotFound($"the runtime keeps no log of container \"{container}\"");
        }

        var reader = new LogReader(
            instance.LogPath,
            () => pods.FindContainer(pod.Metadata.Uid, container) is { Running: true } now && now.Id == instance.Id,
            time);
        context.Response.ContentType = "text/plain";
        try
        {
            await reader.CopyAsync(options, context.Response.Body, context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException && !context.Response.HasStarted)
        {
            throw KubeletRequestException.NotFound($"failed to try resolving symlinks in path \"{instance.LogPath}\": no such file or directory");
        }
    }
}

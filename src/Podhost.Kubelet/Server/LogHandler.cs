using Microsoft.AspNetCore.Http;
using Podhost.Kubelet.Pods;
using Podhost.Kubelet.Server.Logs;
using Podhost.Streaming.WebSockets;

namespace Podhost.Kubelet.Server;

/// <summary>/containerLogs/&lt;namespace&gt;/&lt;pod&gt;/&lt;container&gt;.</summary>
internal sealed class LogHandler(IPodDirectory pods, PodLookup lookup, TimeProvider time)
{
    private const int OutputBuffer = 32 * 1024;

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
        if (WebSocketOutput.IsRequested(context.Request))
        {
            await WebSocketOutput.RunAsync(context, (output, ct) => reader.CopyAsync(options, output, ct)).ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "text/plain";
        try
        {
            // The reader flushes whenever it has caught up; a packet for each line would be dear.
            var output = new BufferedStream(context.Response.Body, OutputBuffer);
            await reader.CopyAsync(options, output, context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException && !context.Response.HasStarted)
        {
            throw KubeletRequestException.NotFound($"failed to try resolving symlinks in path \"{instance.LogPath}\": no such file or directory");
        }
    }
}

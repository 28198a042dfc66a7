using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Podhost.Api.Objects;
using Podhost.Kubelet.Server.Http;
using Podhost.Kubelet.Server.Metrics;
using Podhost.Kubelet.Server.Stats;
using Podhost.Streaming.Proxy;

namespace Podhost.Kubelet.Server;

/// <summary>Upstream's paths. What is not served is refused by name.</summary>
internal sealed class KubeletRoutes
{
    private readonly KubeletServerOptions options;
    private readonly PodsHandler pods;
    private readonly LogHandler logs;
    private readonly StreamHandler streams;
    private readonly StatsSource stats;
    private readonly MetricsHandler metrics;

    public KubeletRoutes(KubeletServerOptions options, KubeletServerServices services, TimeProvider time, ILoggerFactory loggers)
    {
        this.options = options;
        var lookup = new PodLookup(services.Pods);
        pods = new PodsHandler(services.Pods, services.Runtime);
        logs = new LogHandler(services.Pods, lookup, time);
        streams = new StreamHandler(lookup, services.Runtime, options.TranslateWebSockets ? new StreamTranslator(time, loggers) : null, time);
        stats = new StatsSource(options, services, time);
        metrics = new MetricsHandler(options, services, stats, time);
    }

    public Task HandleAsync(HttpContext context, string path)
    {
        var parts = path.Trim('/').Split('/');
        var method = context.Request.Method;
        return parts switch
        {
            ["exec", ..] when parts.Length is 4 or 5 => Only(context, streams.ExecAsync, parts, "GET", "POST"),
            ["attach", ..] when parts.Length is 4 or 5 => Only(context, streams.AttachAsync, parts, "GET", "POST"),
            ["portForward", ..] when parts.Length is 3 or 4 => Only(context, streams.PortForwardAsync, parts, "GET", "POST"),
            ["run", ..] when parts.Length is 4 or 5 => Only(context, streams.RunAsync, parts, "POST"),
            ["logs", ..] => throw KubeletRequestException.NotFound("/logs is not served: files of the node are not for this API\n"),
            ["checkpoint", ..] => throw new KubeletRequestException(501, "/checkpoint is not supported\n"),
            ["healthz"] when HttpMethods.IsHead(method) => TextResponse.TextAsync(context, 200, ""),
            _ when !HttpMethods.IsGet(method) => throw new KubeletRequestException(HttpMethods.IsHead(method) ? 405 : Known(parts) ? 405 : 404, "405: Method Not Allowed"),
            ["containerLogs", var ns, var pod, var container] => logs.HandleAsync(context, ns, pod, container),
            ["healthz"] or ["healthz", "ping" or "log" or "syncloop"] => TextResponse.TextAsync(context, 200, "ok"),
            ["pods"] => TextResponse.JsonAsync(context, pods.Pods()),
            ["runningpods"] => RunningPodsAsync(context),
            ["configz"] => TextResponse.JsonAsync(context, Configz()),
            ["stats", "summary"] => SummaryAsync(context),
            ["metrics"] => metrics.KubeletAsync(context),
            ["metrics", "resource"] => metrics.ResourceAsync(context),
            ["metrics", "cadvisor"] => metrics.CadvisorAsync(context),
            ["metrics", "probes"] => metrics.ProbesAsync(context),
            _ => throw KubeletRequestException.NotFound("404 page not found\n"),
        };
    }

    /// <summary>What the port for reading serves: neither logs nor sessions, and nothing that tells secrets of the configuration.</summary>
    public static bool IsReadOnly(string path) => path.Trim('/').Split('/')[0] is "healthz" or "pods" or "stats" or "metrics";

    /// <summary>True for what the port of health checks serves.</summary>
    public static bool IsHealth(string path) => path.Trim('/').Split('/')[0] is "healthz";

    private static bool Known(string[] parts) => parts[0] is "containerLogs" or "healthz" or "pods" or "runningpods" or "configz" or "stats" or "metrics";

    private static Task Only(HttpContext context, Func<HttpContext, string[], Task> handler, string[] parts, params ReadOnlySpan<string> methods) =>
        methods.Contains(context.Request.Method) ? handler(context, parts[1..]) : throw new KubeletRequestException(405, "405: Method Not Allowed");

    private async Task RunningPodsAsync(HttpContext context) =>
        await TextResponse.JsonAsync(context, await pods.RunningPodsAsync(context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);

    private async Task SummaryAsync(HttpContext context) =>
        await TextResponse.JsonAsync(context, await stats.SummaryAsync(context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);

    private byte[] Configz() =>
        ObjectCodec.ToUtf8(new System.Text.Json.Nodes.JsonObject { ["kubeletconfig"] = options.Configuration.DeepClone() });
}

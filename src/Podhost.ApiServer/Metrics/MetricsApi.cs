using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Api.Selectors;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Routes;

namespace Podhost.ApiServer.Metrics;

/// <summary>Serves metrics.k8s.io/v1beta1: asks the kubelets when it is asked, and keeps nothing.</summary>
internal static class MetricsApi
{
    private static readonly ResourceInfo Nodes = ResourceTable.For<V1Node>();
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();

    public static async ValueTask HandleAsync(ApiServices services, RequestContext context)
    {
        var info = context.Info;
        if (info.Version != MetricsGroup.Version || info.Resource is not ("nodes" or "pods") || info.Subresource.Length > 0)
        {
            throw ApiException.Make(404, "NotFound", "the server could not find the requested resource");
        }

        if (info.Verb is not ("get" or "list"))
        {
            throw ApiException.MethodNotAllowed("the server does not allow this method on the requested resource");
        }

        if (context.Query("fieldSelector").Length > 0)
        {
            throw ApiException.BadRequest("fieldSelector is not supported by metrics.k8s.io on this server");
        }

        var found = info.Resource == "nodes" ? await NodesAsync(services, info, context.Aborted) : await PodsAsync(services, info, context.Aborted);
        await ResponseWriter.WriteJsonAsync(context, 200, ObjectCodec.ToUtf8(info.Name.Length > 0 ? One(found, info) : List(found, context)));
    }

    private static JsonObject One(IReadOnlyList<JsonObject> found, RequestInfo info) => found.FirstOrDefault(o => Meta.Name(o) == info.Name)
        ?? throw ApiException.NotFound(MetricsGroup.Group, info.Resource, info.Namespace.Length > 0 ? $"{info.Namespace}/{info.Name}" : info.Name);

    private static JsonObject List(IReadOnlyList<JsonObject> found, RequestContext context)
    {
        var selector = Selector(context.Query("labelSelector"));
        return new JsonObject
        {
            ["kind"] = context.Info.Resource == "nodes" ? "NodeMetricsList" : "PodMetricsList",
            ["apiVersion"] = $"{MetricsGroup.Group}/{MetricsGroup.Version}",
            ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray([.. found.Where(o => selector.Matches(Meta.Of(o)["labels"] as JsonObject)).Select(o => (JsonNode)o)]),
        };
    }

    private static LabelSelector Selector(string text)
    {
        try
        {
            return LabelSelector.Parse(text);
        }
        catch (FormatException e)
        {
            throw ApiException.BadRequest(e.Message);
        }
    }

    private static async Task<IReadOnlyList<JsonObject>> NodesAsync(ApiServices services, RequestInfo info, CancellationToken cancellationToken)
    {
        var nodes = services.Store.Caches.List(Nodes).Where(n => info.Name.Length == 0 || n.Name == info.Name).Select(n => n.ToObject()).ToList();
        var metrics = new SummaryMetrics(services.Rates);
        services.Rates.Begin(services.Time.GetUtcNow());
        var summaries = await Task.WhenAll(nodes.Select(n => SummaryAsync(services, n, cancellationToken)));
        return [.. nodes.Zip(summaries).Where(p => p.Second is not null).Select(p => metrics.Node(p.Second!, p.First)).OfType<JsonObject>()];
    }

    private static async Task<IReadOnlyList<JsonObject>> PodsAsync(ApiServices services, RequestInfo info, CancellationToken cancellationToken)
    {
        var nodes = services.Store.Caches.List(Nodes).Select(n => n.ToObject()).ToList();
        var metrics = new SummaryMetrics(services.Rates);
        services.Rates.Begin(services.Time.GetUtcNow());
        var summaries = await Task.WhenAll(nodes.Select(n => SummaryAsync(services, n, cancellationToken)));
        return
        [
            .. summaries.OfType<JsonObject>().SelectMany(s => (s["pods"] as JsonArray ?? []).OfType<JsonObject>())
                .Select(stats => (Stats: stats, Namespace: Meta.Text(Meta.At(stats, "podRef", "namespace")), Name: Meta.Text(Meta.At(stats, "podRef", "name"))))
                .Where(p => (info.Namespace.Length == 0 || p.Namespace == info.Namespace) && (info.Name.Length == 0 || p.Name == info.Name))
                .Select(p => services.Store.Caches.Get(Pods, p.Namespace, p.Name)?.ToObject() is { } pod ? metrics.Pod(p.Stats, Meta.Of(pod)["labels"]) : null)
                .OfType<JsonObject>()
                .OrderBy(p => Meta.Namespace(p), StringComparer.Ordinal).ThenBy(p => Meta.Name(p), StringComparer.Ordinal),
        ];
    }

    // A node that does not answer has no metrics; the others have theirs.
    private static async Task<JsonObject?> SummaryAsync(ApiServices services, JsonObject node, CancellationToken cancellationToken)
    {
        if (services.Connector is not { } connector)
        {
            throw ApiException.Unavailable("metrics are not available: this server has no way to reach kubelets");
        }

        try
        {
            return await connector.ReadAsync(node, "/stats/summary", cancellationToken);
        }
        catch (ApiException e)
        {
            Hosting.ServerLog.NoMetrics(services.Log, Meta.Name(node), e.Message);
            return null;
        }
    }
}

using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Routes;

namespace Podhost.ApiServer.Discovery;

/// <summary>Answers /, /api, /apis and what is below them without naming a resource.</summary>
/// <param name="served">What is served now.</param>
internal sealed class DiscoveryHandler(Func<CancellationToken, ValueTask<ResourceSet>> served)
{
    private const string AggregatedGroup = "apidiscovery.k8s.io";
    private DiscoveryDocuments _documents = new(ResourceSet.BuiltIn);

    public async ValueTask RootAsync(RequestContext context)
    {
        var versions = (await served(context.Aborted)).All.Where(r => r.Group.Length > 0).Select(r => r.ApiVersion).Distinct(StringComparer.Ordinal);
        string[] paths =
        [
            "/api", "/api/v1", "/apis", .. versions.Append("metrics.k8s.io/v1beta1").Select(v => "/apis/" + v),
            "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version",
        ];
        await Json(context, ObjectCodec.ToUtf8(new JsonObject { ["paths"] = new JsonArray([.. paths.Select(p => (JsonNode)p)]) }));
    }

    public ValueTask LegacyRootAsync(RequestContext context) => AggregatedVersion(context) is { } version
        ? AggregatedAsync(context, core: true, version)
        : Json(context, ObjectCodec.ToUtf8(DiscoveryDocuments.CoreVersions(context.Http.Request.Host.Value ?? "")));

    public async ValueTask GroupsAsync(RequestContext context)
    {
        if (AggregatedVersion(context) is { } version)
        {
            await AggregatedAsync(context, core: false, version);
            return;
        }

        await Json(context, (await DocumentsAsync(context)).GroupList());
    }

    /// <summary>/api/VERSION, /apis/GROUP or /apis/GROUP/VERSION.</summary>
    public async ValueTask GroupOrVersionAsync(RequestContext context, string path)
    {
        var documents = await DocumentsAsync(context);
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var document = parts switch
        {
            ["api", var version] => documents.ResourceList("", version),
            ["apis", var group] => documents.Group(group),
            ["apis", var group, var version] => documents.ResourceList(group, version),
            _ => null,
        };
        await Json(context, document ?? throw PlainRoutes.NotFound());
    }

    // Made anew where a kind came, changed or went.
    private async ValueTask<DiscoveryDocuments> DocumentsAsync(RequestContext context)
    {
        var resources = await served(context.Aborted);
        var documents = _documents;
        return ReferenceEquals(documents.Resources, resources) ? documents : _documents = new DiscoveryDocuments(resources);
    }

    private async ValueTask AggregatedAsync(RequestContext context, bool core, string version)
    {
        var body = (await DocumentsAsync(context)).Aggregated(core, version);
        var tag = $"\"{Convert.ToHexString(SHA256.HashData(body))}\"";
        context.Http.Response.Headers.ETag = tag;
        context.Http.Response.Headers.Vary = "Accept";
        if (context.Http.Request.Headers.IfNoneMatch == tag)
        {
            context.Http.Response.StatusCode = 304;
            return;
        }

        await ResponseWriter.WriteBytesAsync(context, 200, $"application/json;g={AggregatedGroup};v={version};as=APIGroupDiscoveryList", body);
    }

    // The first clause that this server can answer decides, as with any other negotiation.
    private static string? AggregatedVersion(RequestContext context)
    {
        foreach (var clause in MediaTypes.Parse(context.Http.Request.Headers.Accept.ToString()))
        {
            if (clause.Type is not ("application/json" or "*/*" or "application/*"))
            {
                continue;
            }

            if (clause.Parameter("as") == "APIGroupDiscoveryList" && clause.Parameter("g") == AggregatedGroup &&
                clause.Parameter("v") is "v2" or "v2beta1")
            {
                return clause.Parameter("v");
            }

            if (clause.Parameter("as").Length == 0)
            {
                return null;
            }
        }

        return null;
    }

    private static ValueTask Json(RequestContext context, byte[] body) =>
        ResponseWriter.WriteJsonAsync(context, 200, body, MediaTypes.Negotiate(context.Http.Request.Headers.Accept.ToString()));
}

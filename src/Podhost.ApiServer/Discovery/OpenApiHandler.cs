using System.Globalization;
using Podhost.Api.OpenApi;
using Podhost.Api.Resources;
using Podhost.ApiServer.Routes;

namespace Podhost.ApiServer.Discovery;

/// <summary>Answers /openapi/v2 and /openapi/v3.</summary>
/// <param name="served">What is served now.</param>
internal sealed class OpenApiHandler(Func<CancellationToken, ValueTask<ResourceSet>> served)
{
    private OpenApiDocuments _documents = new(ResourceSet.BuiltIn.All);

    public async ValueTask HandleAsync(RequestContext context, string path)
    {
        var documents = await DocumentsAsync(context);
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        await (parts switch
        {
            ["openapi", "v2"] => V2Async(context, documents),
            ["openapi", "v3"] => ResponseWriter.WriteJsonAsync(context, 200, documents.V3Index()),
            ["openapi", "v3", "api", var version] => V3Async(context, documents.V3("", version)),
            ["openapi", "v3", "apis", var group, var version] => V3Async(context, documents.V3(group, version)),
            _ => throw PlainRoutes.NotFound(),
        });
    }

    // Documents of groups that did not change are taken over.
    private async ValueTask<OpenApiDocuments> DocumentsAsync(RequestContext context)
    {
        var resources = (await served(context.Aborted)).All;
        var documents = _documents;
        return ReferenceEquals(documents.Resources, resources) ? documents : _documents = documents.With(resources);
    }

    private static ValueTask V2Async(RequestContext context, OpenApiDocuments documents)
    {
        var accept = context.Http.Request.Headers.Accept.ToString();
        var protobuf = MediaTypes.Parse(accept).FirstOrDefault(c =>
            c.Type is "application/json" or "*/*" or "application/*" || IsProtobuf(c)) is { } first && IsProtobuf(first);
        context.Http.Response.Headers.Vary = "Accept";
        return protobuf
            ? WriteAsync(context, documents.V2Protobuf(), OpenApiDocuments.V2ProtobufContentType)
            : WriteAsync(context, documents.V2Json(), "application/json");
    }

    private static ValueTask V3Async(RequestContext context, OpenApiDocument? document)
    {
        if (document is null)
        {
            throw PlainRoutes.NotFound();
        }

        var headers = context.Http.Response.Headers;
        var hash = context.Query("hash");
        if (hash.Length > 0 && hash != document.Hash)
        {
            // The address names a version that is gone: the present one is elsewhere.
            context.Http.Response.StatusCode = 301;
            headers.Location = $"{context.Info.Path}?hash={document.Hash}";
            return ValueTask.CompletedTask;
        }

        if (hash.Length > 0)
        {
            headers.CacheControl = "public, immutable";
            headers.Expires = TimeProvider.System.GetUtcNow().AddYears(1).ToString("R", CultureInfo.InvariantCulture);
        }

        return WriteAsync(context, document, "application/json");
    }

    private static async ValueTask WriteAsync(RequestContext context, OpenApiDocument document, string type)
    {
        var tag = $"\"{document.Hash}\"";
        context.Http.Response.Headers.ETag = tag;
        if (context.Http.Request.Headers.IfNoneMatch == tag)
        {
            context.Http.Response.StatusCode = 304;
            return;
        }

        await ResponseWriter.WriteBytesAsync(context, 200, type, document.Body);
    }

    private static bool IsProtobuf(MediaRange clause) =>
        clause.Type == OpenApiDocuments.V2ProtobufMediaType || clause.Type == "application/com.github.openapis.v2.document+protobuf" ||
        clause.Type == OpenApiDocuments.V2ProtobufContentType;
}

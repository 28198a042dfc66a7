using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Podhost.Api.Resources;
using Podhost.Api.Schema;

namespace Podhost.Api.OpenApi;

/// <summary>Writes whole documents.</summary>
internal static class DocumentBuilder
{
    private const string ApiVersion = "v1.36.0";
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The version 3 document of one group and version.</summary>
    public static byte[] BuildV3(string group, string version, IReadOnlyList<ResourceInfo> all) => Write(json =>
    {
        var resources = all.Where(r => r.Group == group && r.Version == version).ToList();
        var paths = ApiPaths.Of(group, version, resources);

        // A document says nothing of other groups' custom kinds: it changes with its own only.
        var kinds = KindNames.BySchema([.. all.Where(r => r.Custom is null || (r.Group == group && r.Version == version))]);
        var custom = new CustomSchemas(resources);
        var schemas = new SchemaDocumentWriter(json, Dialect.V3, new SchemaDescriptions(), kinds, custom);
        json.WriteString("openapi", "3.0.0");
        WriteInfo(json);
        json.WriteStartObject("paths");
        new PathDocumentWriter(json, Dialect.V3, schemas).WriteAll(paths);
        json.WriteEndObject();
        json.WriteStartObject("components");
        json.WriteStartObject("schemas");
        schemas.WriteAll(TypesOf(resources, paths, custom));
        json.WriteEndObject();
        json.WritePropertyName("securitySchemes");
        WriteSecurity(json);
        json.WriteEndObject();
    });

    /// <summary>The version 2 document of all groups.</summary>
    public static byte[] BuildV2(IReadOnlyList<ResourceInfo> all) => Write(json =>
    {
        var paths = all.Select(r => (r.Group, r.Version)).Distinct()
            .SelectMany(gv => ApiPaths.Of(gv.Group, gv.Version, all.Where(r => r.Group == gv.Group && r.Version == gv.Version)))
            .OrderBy(p => p.Path, StringComparer.Ordinal).ToList();
        var custom = new CustomSchemas(all);
        var schemas = new SchemaDocumentWriter(json, Dialect.V2, new SchemaDescriptions(), KindNames.BySchema(all), custom);
        json.WriteString("swagger", "2.0");
        WriteInfo(json);
        json.WriteStartObject("paths");
        new PathDocumentWriter(json, Dialect.V2, schemas).WriteAll(paths);
        json.WriteEndObject();
        json.WriteStartObject("definitions");
        schemas.WriteAll(TypesOf(all, paths, custom));
        json.WriteEndObject();
        json.WritePropertyName("securityDefinitions");
        WriteSecurity(json);
    });

    private static SortedSet<string> TypesOf(IEnumerable<ResourceInfo> resources, IEnumerable<ApiPath> paths, CustomSchemas custom) => SchemaClosure.Of(paths
        .SelectMany(p => p.Operations).SelectMany(o => new[] { o.Body, o.Result }).OfType<string>()
        .Concat(resources.Select(r => r.SchemaName))
        .Concat([KindNames.Status, KindNames.DeleteOptions, KindNames.WatchEvent, KindNames.ResourceList]), custom);

    private static byte[] Write(Action<Utf8JsonWriter> content)
    {
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteInfo(Utf8JsonWriter json)
    {
        json.WriteStartObject("info");
        json.WriteString("title", "Kubernetes");
        json.WriteString("version", ApiVersion);
        json.WriteEndObject();
    }

    private static void WriteSecurity(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("BearerToken");
        json.WriteString("description", "Bearer Token authentication");
        json.WriteString("in", "header");
        json.WriteString("name", "authorization");
        json.WriteString("type", "apiKey");
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

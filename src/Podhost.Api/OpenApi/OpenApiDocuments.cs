using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.Api.Resources;

namespace Podhost.Api.OpenApi;

/// <summary>The OpenAPI documents of the served resources, made when first asked for and kept compressed.</summary>
/// <remarks>Thread-safe. Pure: the bytes depend on the resource table and the schema catalog only, so hashes are the same on every start.</remarks>
public sealed class OpenApiDocuments
{
    /// <summary>The media type by which clients ask for <see cref="V2Protobuf"/>.</summary>
    public const string V2ProtobufMediaType = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

    /// <summary>The Content-Type of the answer: upstream's, since the at sign of the other is no token and clients cannot parse it.</summary>
    public const string V2ProtobufContentType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    private readonly ConcurrentDictionary<(string Group, string Version), Lazy<CompressedDocument>> v3 = new();
    private readonly Lazy<CompressedDocument> v2Json;
    private readonly Lazy<CompressedDocument> v2Protobuf;

    /// <summary>Documents for a set of resources.</summary>
    /// <param name="resources">The resources that are served.</param>
    public OpenApiDocuments(IReadOnlyList<ResourceInfo> resources)
    {
        Resources = resources;
        v2Json = new(() => new CompressedDocument(DocumentBuilder.BuildV2(resources)));
        v2Protobuf = new(() =>
        {
            using var document = JsonDocument.Parse(DocumentBuilder.BuildV2(resources));
            return new CompressedDocument(GnosticEncoder.Encode(document.RootElement));
        });
    }

    /// <summary>The resources that the documents describe.</summary>
    public IReadOnlyList<ResourceInfo> Resources { get; }

    /// <summary>Documents for another set; those of groups and versions whose resources are the same are taken over.</summary>
    public OpenApiDocuments With(IReadOnlyList<ResourceInfo> resources)
    {
        var result = new OpenApiDocuments(resources);
        foreach (var (key, document) in v3)
        {
            if (Of(Resources, key).SequenceEqual(Of(resources, key), ReferenceEqualityComparer.Instance))
            {
                result.v3.TryAdd(key, document);
            }
        }

        return result;
    }

    private static IEnumerable<object> Of(IReadOnlyList<ResourceInfo> resources, (string Group, string Version) key) =>
        resources.Where(r => r.Group == key.Group && r.Version == key.Version);

    /// <summary><c>/openapi/v3</c>: JSON with a path and a hash per group and version.</summary>
    public byte[] V3Index()
    {
        var paths = new JsonObject();
        foreach (var (group, version) in Resources.Select(r => (r.Group, r.Version)).Distinct())
        {
            var path = ApiPaths.Base(group, version);
            paths[path[1..]] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3{path}?hash={Compressed(group, version).Hash}" };
        }

        return ObjectCodec.ToUtf8((JsonNode)new JsonObject { ["paths"] = paths });
    }

    /// <summary><c>/openapi/v3/api/v1</c> or <c>/openapi/v3/apis/&lt;g&gt;/&lt;v&gt;</c> as JSON; null where nothing is served there.</summary>
    /// <param name="group">Group; empty for the core group.</param>
    /// <param name="version">Version.</param>
    public OpenApiDocument? V3(string group, string version) =>
        Resources.Any(r => r.Group == group && r.Version == version) ? Compressed(group, version).Open() : null;

    /// <summary><c>/openapi/v2</c> as JSON.</summary>
    public OpenApiDocument V2Json() => v2Json.Value.Open();

    /// <summary><c>/openapi/v2</c> as gnostic protobuf, of type <see cref="V2ProtobufContentType"/>.</summary>
    public OpenApiDocument V2Protobuf() => v2Protobuf.Value.Open();

    private CompressedDocument Compressed(string group, string version) => v3.GetOrAdd(
        (group, version),
        key => new Lazy<CompressedDocument>(() => new CompressedDocument(DocumentBuilder.BuildV3(key.Group, key.Version, Resources)))).Value;
}

/// <summary>One document.</summary>
/// <param name="Body">Its bytes, uncompressed.</param>
/// <param name="Hash">Upper-case hexadecimal SHA-512 of the body: the ETag, and the <c>hash</c> parameter of v3.</param>
public sealed record OpenApiDocument(byte[] Body, string Hash);

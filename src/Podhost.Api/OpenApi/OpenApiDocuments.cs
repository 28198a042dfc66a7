using Podhost.Api.Resources;

namespace Podhost.Api.OpenApi;

/// <summary>The OpenAPI documents of the served resources, made when first asked for.</summary>
public sealed class OpenApiDocuments
{
    /// <summary>Documents for a set of resources.</summary>
    /// <param name="resources">The resources that are served.</param>
    public OpenApiDocuments(IReadOnlyList<ResourceInfo> resources) => Resources = resources;

    private IReadOnlyList<ResourceInfo> Resources { get; }

    /// <summary><c>/openapi/v3</c>: JSON with a path and a hash per group and version.</summary>
    public byte[] V3Index() => throw new NotImplementedException();

    /// <summary><c>/openapi/v3/api/v1</c> or <c>/openapi/v3/apis/&lt;g&gt;/&lt;v&gt;</c> as JSON; null where nothing is served there.</summary>
    /// <param name="group">Group; empty for the core group.</param>
    /// <param name="version">Version.</param>
    public OpenApiDocument? V3(string group, string version) => throw new NotImplementedException();

    /// <summary><c>/openapi/v2</c> as JSON.</summary>
    public OpenApiDocument V2Json() => throw new NotImplementedException();

    /// <summary><c>/openapi/v2</c> as gnostic protobuf, media type <see cref="V2ProtobufMediaType"/>.</summary>
    public OpenApiDocument V2Protobuf() => throw new NotImplementedException();

    /// <summary>Media type of <see cref="V2Protobuf"/>.</summary>
    public const string V2ProtobufMediaType = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
}

/// <summary>One document.</summary>
/// <param name="Body">Its bytes, uncompressed.</param>
/// <param name="Hash">Upper-case hexadecimal SHA-512 of the body: the ETag, and the <c>hash</c> parameter of v3.</param>
public sealed record OpenApiDocument(byte[] Body, string Hash);

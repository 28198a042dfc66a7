using System.Text;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Api.Schema;

namespace Podhost.ApiServer.Routes.Protobuf;

/// <summary>Request bodies in protobuf: kubectl's create commands and client-go's typed clients send them.</summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding-idl</remarks>
internal static class ProtobufBody
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    // Kinds that are sent to subresources or with a request and have no entry in the table.
    private static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["Binding"] = "io.k8s.api.core.v1.Binding",
        ["Eviction"] = "io.k8s.api.policy.v1.Eviction",
        ["Scale"] = "io.k8s.api.autoscaling.v1.Scale",
        ["TokenRequest"] = "io.k8s.api.authentication.v1.TokenRequest",
        ["DeleteOptions"] = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    };

    /// <summary>The body as JSON.</summary>
    /// <exception cref="ApiException">400: it cannot be read.</exception>
    public static byte[] ToJson(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith(Magic))
        {
            throw ApiException.BadRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        }

        try
        {
            var (apiVersion, kind, raw) = ReadEnvelope(body[Magic.Length..]);
            var obj = ProtobufDecoder.Decode(TypeOf(apiVersion, kind), raw.Span);
            obj["apiVersion"] = apiVersion;
            obj["kind"] = kind;
            return ObjectCodec.ToUtf8(obj);
        }
        catch (FormatException e)
        {
            throw ApiException.BadRequest(e.Message);
        }
    }

    /// <summary>Names of the types that a body may be.</summary>
    internal static IEnumerable<string> Types => ResourceTable.All.Select(r => r.SchemaName).Concat(Others.Values);

    private static SchemaType TypeOf(string apiVersion, string kind)
    {
        var name = ResourceTable.FindKind(apiVersion, kind)?.SchemaName ?? Others.GetValueOrDefault(kind);
        return (name is null ? null : SchemaCatalog.Find(name))
            ?? throw new FormatException($"no kind \"{kind}\" is registered for version \"{apiVersion}\"");
    }

    private static (string ApiVersion, string Kind, ReadOnlyMemory<byte> Raw) ReadEnvelope(ReadOnlySpan<byte> data)
    {
        var (apiVersion, kind) = ("", "");
        byte[] raw = [];
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            switch (reader.ReadTag())
            {
                case (1, WireType.Bytes):
                    (apiVersion, kind) = ReadTypeMeta(reader.ReadBytes());
                    break;
                case (2, WireType.Bytes):
                    raw = reader.ReadBytes().ToArray();
                    break;
                case (_, var wire):
                    reader.Skip(wire);
                    break;
            }
        }

        return (apiVersion, kind, raw);
    }

    private static (string ApiVersion, string Kind) ReadTypeMeta(ReadOnlySpan<byte> data)
    {
        var (apiVersion, kind) = ("", "");
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            switch (reader.ReadTag())
            {
                case (1, WireType.Bytes):
                    apiVersion = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case (2, WireType.Bytes):
                    kind = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case (_, var wire):
                    reader.Skip(wire);
                    break;
            }
        }

        return (apiVersion, kind);
    }
}

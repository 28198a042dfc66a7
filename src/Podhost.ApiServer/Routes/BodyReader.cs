using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Yaml;
using Podhost.ApiServer.Routes.Protobuf;

namespace Podhost.ApiServer.Routes;

/// <summary>Reads request bodies, bounded.</summary>
internal static class BodyReader
{
    /// <summary>The whole body.</summary>
    /// <exception cref="ApiException">413: larger than the bound.</exception>
    public static async ValueTask<byte[]> ReadAsync(HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        if (request.ContentLength > maxBytes)
        {
            throw TooLarge(maxBytes);
        }

        var buffer = new ArrayBufferWriter<byte>(Math.Max((int)(request.ContentLength ?? 0), 4096));
        int read;
        while ((read = await request.Body.ReadAsync(buffer.GetMemory(4096), cancellationToken)) > 0)
        {
            buffer.Advance(read);
            if (buffer.WrittenCount > maxBytes)
            {
                throw TooLarge(maxBytes);
            }
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The body of an object request as JSON, whether it came as JSON, YAML or protobuf.</summary>
    /// <param name="request">The request.</param>
    /// <param name="maxBytes">Most bytes.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <param name="duplicates">Collects keys of YAML that occur twice; null refuses them.</param>
    /// <exception cref="ApiException">415 for other media types, 400 for broken YAML or protobuf, 413.</exception>
    public static async ValueTask<byte[]> ReadObjectAsync(
        HttpRequest request, int maxBytes, CancellationToken cancellationToken, ICollection<string>? duplicates = null)
    {
        var type = MediaType(request);
        if (type is not ("" or "application/json" or "application/yaml" or ProtobufBody.MediaType or "*/*"))
        {
            throw ApiException.UnsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: " +
                $"application/json, application/yaml, {ProtobufBody.MediaType}");
        }

        var body = await ReadAsync(request, maxBytes, cancellationToken);
        return type switch
        {
            "application/yaml" => FromYaml(body, duplicates),
            ProtobufBody.MediaType when body.Length > 0 => ProtobufBody.ToJson(body),
            _ => JsonText.Repair(body),
        };
    }

    /// <summary>The media type of a body without parameters, lower-case; empty where there is none.</summary>
    public static string MediaType(HttpRequest request)
    {
        var type = request.ContentType ?? "";
        var end = type.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
    }

    /// <summary>YAML as JSON.</summary>
    /// <exception cref="ApiException">400: it cannot be read.</exception>
    public static byte[] FromYaml(byte[] yaml, ICollection<string>? duplicates = null)
    {
        try
        {
            return ObjectCodec.ToUtf8(YamlReader.ReadObject(new UTF8Encoding(false, true).GetString(yaml), duplicates));
        }
        catch (Exception e) when (e is YamlException or DecoderFallbackException)
        {
            throw ApiException.BadRequest("error converting YAML to JSON: " + e.Message);
        }
    }

    private static ApiException TooLarge(int maxBytes) => ApiException.TooLarge($"limit is {maxBytes}");
}

using System.Buffers;
using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Podhost.Api.Errors;
using Podhost.Api.Yaml;

namespace Podhost.ApiServer.Routes;

/// <summary>Writes finished responses: JSON or YAML, compact or indented, compressed where it pays.</summary>
internal static class ResponseWriter
{
    // Upstream's threshold: below it compression costs more than it saves.
    private const int CompressFrom = 128 * 1024;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, IndentSize = 2, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one JSON document that is there as bytes.</summary>
    public static ValueTask WriteJsonAsync(RequestContext context, int code, ReadOnlyMemory<byte> json, AcceptedType type = default) =>
        WriteJsonAsync(context, code, [json], json.Length, type);

    /// <summary>Writes a JSON document that is there in pieces.</summary>
    public static async ValueTask WriteJsonAsync(
        RequestContext context, int code, IReadOnlyList<ReadOnlyMemory<byte>> pieces, long length, AcceptedType type)
    {
        if (type.Yaml || WantsPretty(context.Http.Request))
        {
            var node = JsonNode.Parse(Join(pieces, length));
            var text = type.Yaml ? Encoding.UTF8.GetBytes(YamlWriter.Write(node)) : Indent(node!);
            (pieces, length) = ([text], text.Length);
        }

        context.WriteWarnings();
        await WriteAsync(context.Http, code, type.ContentType, pieces, length, context.Aborted);
    }

    /// <summary>Writes a Status for a failure.</summary>
    public static ValueTask WriteErrorAsync(RequestContext context, ApiException error)
    {
        if (error.Status.Details?.RetryAfterSeconds is { } seconds and > 0)
        {
            context.Http.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        return WriteJsonAsync(context, (int)error.Code, ErrorBody(error), AcceptOrJson(context.Http.Request));
    }

    /// <summary>The Status of a failure as JSON.</summary>
    public static byte[] ErrorBody(ApiException error) => StatusJson.ToUtf8(error.Status);

    /// <summary>Writes bytes of any media type.</summary>
    public static ValueTask WriteBytesAsync(RequestContext context, int code, string contentType, ReadOnlyMemory<byte> body) =>
        WriteAsync(context.Http, code, contentType, [body], body.Length, context.Aborted);

    private static async ValueTask WriteAsync(
        HttpContext http, int code, string contentType, IReadOnlyList<ReadOnlyMemory<byte>> pieces, long length, CancellationToken cancellationToken)
    {
        var response = http.Response;
        response.StatusCode = code;
        response.ContentType = contentType;
        if (HttpMethods.IsHead(http.Request.Method))
        {
            response.ContentLength = length;
            return;
        }

        if (length >= CompressFrom && AcceptsGzip(http.Request))
        {
            response.Headers.ContentEncoding = "gzip";
            response.Headers.Vary = "Accept-Encoding";
            await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            foreach (var piece in pieces)
            {
                await gzip.WriteAsync(piece, cancellationToken);
            }

            return;
        }

        response.ContentLength = length;
        var writer = response.BodyWriter;
        var pending = 0;
        foreach (var piece in pieces)
        {
            piece.Span.CopyTo(writer.GetSpan(piece.Length));
            writer.Advance(piece.Length);
            pending += piece.Length;
            if (pending > 64 * 1024)
            {
                pending = 0;
                await writer.FlushAsync(cancellationToken);
            }
        }

        await writer.FlushAsync(cancellationToken);
    }

    private static bool AcceptsGzip(HttpRequest request) =>
        request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);

    private static bool WantsPretty(HttpRequest request)
    {
        if (request.Query.TryGetValue("pretty", out var pretty))
        {
            return pretty.ToString() is not ("0" or "false");
        }

        // People at a terminal or a browser get it readable, as upstream does it.
        var agent = request.Headers.UserAgent.ToString();
        return agent.StartsWith("curl", StringComparison.Ordinal) || agent.StartsWith("Wget", StringComparison.Ordinal) ||
            agent.StartsWith("Mozilla/5.0", StringComparison.Ordinal);
    }

    private static AcceptedType AcceptOrJson(HttpRequest request)
    {
        try
        {
            return MediaTypes.Negotiate(request.Headers.Accept.ToString());
        }
        catch (ApiException)
        {
            // A failure is told in JSON to those who accept nothing that is served.
            return default;
        }
    }

    private static byte[] Join(IReadOnlyList<ReadOnlyMemory<byte>> pieces, long length)
    {
        var all = new byte[length];
        var at = 0;
        foreach (var piece in pieces)
        {
            piece.Span.CopyTo(all.AsSpan(at));
            at += piece.Length;
        }

        return all;
    }

    private static byte[] Indent(JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            node.WriteTo(writer);
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}

using System.Net;
using System.Text.Json;

namespace Podhost.Runtime.Images.Registry;

/// <summary>Messages for a registry's refusals, in containerd's words, as users search for them.</summary>
internal static class RegistryErrors
{
    public static string Status(HttpResponseMessage response) =>
        $"{(int)response.StatusCode} {(string.IsNullOrEmpty(response.ReasonPhrase) ? response.StatusCode.ToString() : response.ReasonPhrase)}";

    /// <param name="response">The final answer.</param>
    /// <param name="uri">What was asked.</param>
    /// <param name="what">The reference or digest, for "not found".</param>
    /// <param name="body">The head of the body.</param>
    public static ImageException From(HttpResponseMessage response, Uri uri, string what, ReadOnlyMemory<byte> body) => response.StatusCode switch
    {
        HttpStatusCode.NotFound => new ImageException(ImageError.NotFound, $"{what}: not found"),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new ImageException(
            ImageError.Denied,
            $"pull access denied, repository does not exist or may require authorization: server message: {Message(body) ?? Status(response)}"),
        var status => new ImageException(
            RetryPolicy.IsTransient(status) ? ImageError.Unavailable : ImageError.Invalid,
            $"unexpected status from GET request to {uri.GetLeftPart(UriPartial.Path)}: {Status(response)}"),
    };

    /// <summary>The first entry of distribution's error body, printable and short: it ends in a Pod's events.</summary>
    internal static string? Message(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var error = json.RootElement.GetProperty("errors")[0];
            var code = error.GetProperty("code").GetString() ?? "";
            var message = error.TryGetProperty("message", out var m) ? m.GetString() ?? "" : "";
            var text = new string([.. $"{code.ToLowerInvariant()}: {message}".Where(c => !char.IsControl(c)).Take(200)]);
            return text;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}

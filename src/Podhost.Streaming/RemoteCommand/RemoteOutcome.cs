using System.Globalization;
using System.Text.Json;

namespace Podhost.Streaming.RemoteCommand;

/// <summary>Reads what the error stream of an exec or attach session says: the other direction of <see cref="RemoteCommandStatus"/>.</summary>
internal static class RemoteOutcome
{
    private const string InternalError = "InternalError";
    private const string ExitPrefix = "command terminated with non-zero exit code: exit status ";

    /// <summary>The command's exit code.</summary>
    /// <param name="text">The whole error stream.</param>
    /// <param name="json">A Status (version 4 and later), else plain text of failures only.</param>
    /// <exception cref="IOException">The session failed, with the server's reason, or ended without an outcome.</exception>
    public static int ExitCode(string text, bool json)
    {
        if (!json)
        {
            return text.Length == 0 ? 0
                : text.StartsWith(ExitPrefix, StringComparison.Ordinal) && TryCode(text[ExitPrefix.Length..], out var code) ? code
                : throw new IOException(text);
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return FromStatus(document.RootElement);
        }
        catch (JsonException)
        {
            throw new IOException(text.Length == 0 ? "the runtime ended the session without an outcome" : $"the runtime ended the session with \"{text}\"");
        }
    }

    private static int FromStatus(JsonElement status)
    {
        if (Text(status, "status") == "Success")
        {
            return 0;
        }

        var message = Text(status, "message") ?? "unknown failure";
        if (!status.TryGetProperty("details", out var details) || !details.TryGetProperty("causes", out var causes) || causes.ValueKind != JsonValueKind.Array)
        {
            throw new IOException(message);
        }

        foreach (var cause in causes.EnumerateArray())
        {
            if (Text(cause, "reason") == "ExitCode" && TryCode(Text(cause, "message"), out var code))
            {
                return code;
            }

            // The front puts its own "Internal error occurred" before it again.
            if (Text(status, "reason") == InternalError && Text(cause, "message") is { Length: > 0 } bare)
            {
                throw new IOException(bare);
            }
        }

        throw new IOException(message);
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool TryCode(string? text, out int code) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out code);
}

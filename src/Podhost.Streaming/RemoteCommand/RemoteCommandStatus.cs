using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Podhost.Streaming.RemoteCommand;

/// <summary>How an exec or attach session ended, as the error stream tells the client.</summary>
/// <param name="ExitCode">Exit code of the command; null where the session itself failed.</param>
/// <param name="Error">Why the session failed; null where it did not.</param>
internal sealed record RemoteCommandStatus(int? ExitCode, string? Error)
{
    /// <summary>The command ended.</summary>
    public static RemoteCommandStatus Exited(int exitCode) => new(exitCode, null);

    /// <summary>The session failed.</summary>
    public static RemoteCommandStatus Failed(string error) => new(null, error);

    private bool IsSuccess => ExitCode == 0 && Error is null;

    private string Message => Error is null
        ? string.Create(CultureInfo.InvariantCulture, $"command terminated with non-zero exit code: exit status {ExitCode}")
        : "Internal error occurred: " + Error;

    /// <summary>Bytes for the error stream; empty where the protocol says nothing of success.</summary>
    public byte[] Encode(bool json) => json ? Json() : IsSuccess ? [] : Encoding.UTF8.GetBytes(Message);

    private byte[] Json()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("metadata");
            writer.WriteEndObject();
            writer.WriteString("status", IsSuccess ? "Success" : "Failure");
            if (!IsSuccess)
            {
                WriteFailure(writer);
            }

            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private void WriteFailure(Utf8JsonWriter writer)
    {
        writer.WriteString("message", Message);
        writer.WriteString("reason", Error is null ? "NonZeroExitCode" : "InternalError");
        writer.WriteStartObject("details");
        writer.WriteStartArray("causes");
        writer.WriteStartObject();
        if (Error is null)
        {
            writer.WriteString("reason", "ExitCode");
        }

        writer.WriteString("message", Error ?? ExitCode?.ToString(CultureInfo.InvariantCulture));
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
        if (Error is not null)
        {
            writer.WriteNumber("code", 500);
        }
    }
}

using System.Buffers;
using System.Text;

namespace Podhost.Kubelet.Server.Logs;

/// <summary>Turns CRI lines into what the client gets: filtered, joined, with time stamps, cut at the limit.</summary>
internal sealed class LogWriter(LogOptions options, Stream output)
{
    private long remaining = options.LimitBytes ?? long.MaxValue;
    private readonly ArrayBufferWriter<byte> pending = new(256);
    private bool stdoutOpen;
    private bool stderrOpen;

    /// <summary>True where the limit is reached.</summary>
    public bool IsFull => remaining <= 0;

    /// <summary>Writes one line of the file, without its newline. What is no CRI line is left out.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> raw, CancellationToken cancellationToken)
    {
        if (!CriLogLine.TryParse(raw.Span, out var line)
            || (options.Stderr is { } stderr && stderr != line.IsStderr)
            || (options.Since is { } since && line.Time is { } time && time < since))
        {
            return;
        }

        // A time stamp stands before whole lines, not before their pieces.
        ref var open = ref line.IsStderr ? ref stderrOpen : ref stdoutOpen;
        var isStart = !open;
        open = line.IsPartial;
        pending.Clear();
        if (options.Timestamps && isStart)
        {
            pending.Write(Encoding.ASCII.GetBytes(Zulu(line.Timestamp) + " "));
        }

        pending.Write(raw.Span[line.ContentStart..]);
        if (!line.IsPartial)
        {
            pending.Write("\n"u8);
        }

        var n = (int)Math.Min(remaining, pending.WrittenCount);
        remaining -= n;
        await output.WriteAsync(pending.WrittenMemory[..n], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>conmon writes UTC as an offset of zero; Kubernetes shows it as Z.</summary>
    private static string Zulu(string timestamp) => timestamp.EndsWith("+00:00", StringComparison.Ordinal) ? timestamp[..^6] + "Z" : timestamp;
}

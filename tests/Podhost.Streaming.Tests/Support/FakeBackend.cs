using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Podhost.Streaming.Contract;

namespace Podhost.Streaming.Tests.Support;

/// <summary>A backend whose commands are written here: they use the streams as a real process would.</summary>
internal sealed class FakeBackend : IStreamingBackend
{
    public Channel<string> Log { get; } = Channel.CreateUnbounded<string>();

    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, bool tty, SessionStreams streams, CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync(containerId, command, streams, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Cancelled.TrySetResult();
            throw;
        }
    }

    public async Task AttachAsync(string containerId, bool tty, SessionStreams streams, CancellationToken cancellationToken)
    {
        await WriteAsync(streams.Stdout, $"attached {containerId} tty={tty}\n", cancellationToken);
        if (streams.Stdin is not null)
        {
            await streams.Stdin.CopyToAsync(streams.Stdout!, cancellationToken);
        }
    }

    public async Task PortForwardAsync(string sandboxId, int port, Stream stream, CancellationToken cancellationToken)
    {
        if (port == 9)
        {
            throw new IOException("connection refused");
        }

        // Upper-cases what it reads, answers the end with the port, ends.
        var buffer = new byte[4096];
        int n;
        while ((n = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            var text = Encoding.UTF8.GetString(buffer, 0, n).ToUpperInvariant();
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
            if (text.EndsWith("\n\n", StringComparison.Ordinal))
            {
                break;
            }
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes($"bye from {sandboxId}:{port}\n"), cancellationToken);
    }

    private async Task<int> RunAsync(string containerId, IReadOnlyList<string> command, SessionStreams streams, CancellationToken cancellationToken)
    {
        switch (command[0])
        {
            case "echo":
                await WriteAsync(streams.Stdout, string.Join(' ', command.Skip(1)) + "\n", cancellationToken);
                return 0;
            case "both":
                await WriteAsync(streams.Stdout, "to stdout\n", cancellationToken);
                await WriteAsync(streams.Stderr, "to stderr\n", cancellationToken);
                return 0;
            case "exit":
                return int.Parse(command[1]);
            case "cat":
                await streams.Stdin!.CopyToAsync(streams.Stdout!, cancellationToken);
                return 0;
            case "count":
                return await CountAsync(streams, cancellationToken);
            case "flood":
                return await FloodAsync(long.Parse(command[1]), streams, cancellationToken);
            case "size":
                var size = await streams.Resizes!.ReadAsync(cancellationToken);
                await WriteAsync(streams.Stdout, $"{size.Width}x{size.Height}\n", cancellationToken);
                return 0;
            case "fail":
                throw new IOException("no such file: " + containerId);
            case "hang":
                await WriteAsync(streams.Stdout, "hanging\n", cancellationToken);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                return 0;
            case "deaf":
                // Takes no input and ends: a client that sends much must still hear the outcome.
                await WriteAsync(streams.Stdout, "not listening\n", cancellationToken);
                return 7;
            default:
                throw new IOException("unknown command");
        }
    }

    private static async Task<int> CountAsync(SessionStreams streams, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        long total = 0;
        int n;
        while ((n = await streams.Stdin!.ReadAsync(buffer, cancellationToken)) > 0)
        {
            total += n;
        }

        await WriteAsync(streams.Stdout, total + "\n", cancellationToken);
        return 0;
    }

    private async Task<int> FloodAsync(long bytes, SessionStreams streams, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        Array.Fill(buffer, (byte)'x');
        long written = 0;
        while (written < bytes)
        {
            var n = (int)Math.Min(buffer.Length, bytes - written);
            await streams.Stdout!.WriteAsync(buffer.AsMemory(0, n), cancellationToken);
            written += n;
            Interlocked.Exchange(ref flooded, written);
        }

        return 0;
    }

    private long flooded;

    public long Flooded => Interlocked.Read(ref flooded);

    public static async Task WriteAsync(Stream? stream, string text, CancellationToken cancellationToken) =>
        await stream!.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
}

using System.Threading.Channels;

namespace Podhost.Streaming.Contract;

/// <summary>What a container runtime does behind exec, attach and port-forward; the wire protocols are none of its business.</summary>
public interface IStreamingBackend
{
    /// <summary>Runs a command in a container until it ends or the client is gone (then the process is killed).</summary>
    /// <returns>The exit code.</returns>
    Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, bool tty, SessionStreams streams, CancellationToken cancellationToken);

    /// <summary>Joins the streams of a container's main process until it ends or the client is gone (the process lives on).</summary>
    Task AttachAsync(string containerId, bool tty, SessionStreams streams, CancellationToken cancellationToken);

    /// <summary>Copies between a stream and a TCP port inside a sandbox's network namespace until either side closes.</summary>
    Task PortForwardAsync(string sandboxId, int port, Stream stream, CancellationToken cancellationToken);
}

/// <summary>The streams of an exec or attach session; null where the client did not ask for one.</summary>
/// <param name="Stdin">Ends (reads 0) when the client half-closes.</param>
/// <param name="Stdout">Writes may wait: slow readers press back.</param>
/// <param name="Stderr">Null with a terminal.</param>
/// <param name="Resizes">Terminal sizes, newest wins; null without a terminal.</param>
public sealed record SessionStreams(Stream? Stdin, Stream? Stdout, Stream? Stderr, ChannelReader<TerminalSize>? Resizes);

/// <summary>Size of a terminal in characters.</summary>
public readonly record struct TerminalSize(ushort Width, ushort Height);

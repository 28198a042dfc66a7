using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;
using Podhost.Runtime.Processes;

namespace Podhost.Runtime.Streaming;

/// <summary>A client of conmon's attach socket: packets whose first byte names the stream, and a FIFO for terminal sizes.</summary>
internal sealed class ConmonAttachment : IDisposable
{
    private const byte Stdout = 2;
    private const byte Stderr = 3;

    /// <summary>No packet of conmon's is larger: 8 KiB and the stream's number.</summary>
    internal const int PacketSize = 64 * 1024;

    /// <summary>What conmon takes at once.</summary>
    internal const int InputSize = 8 * 1024;
    private readonly Socket _socket;
    private readonly string _bundle;

    private ConmonAttachment(Socket socket, string bundle) => (_socket, _bundle) = (socket, bundle);

    internal static async Task<ConmonAttachment> ConnectAsync(string bundle, CancellationToken cancellationToken)
    {
        // A socket's path has room for 108 bytes; a bundle's may be longer. The directory's descriptor makes it short.
        using var directory = Descriptors.OpenReadOnly(bundle);
        var path = $"/proc/self/fd/{directory.DangerousGetHandle().ToString(CultureInfo.InvariantCulture)}/{Conmon.AttachSocket}";
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new ConmonAttachment(socket, bundle);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new IOException($"attach: {failure.Message}", failure);
        }
    }

    /// <summary>Gives the container's output to the client until the container or the client is gone.</summary>
    internal async Task DeliverAsync(Stream? stdout, Stream? stderr, CancellationToken cancellationToken)
    {
        var buffer = new byte[PacketSize];
        while (await ReceiveAsync(buffer, cancellationToken) is > 0 and var count)
        {
            var target = buffer[0] switch { Stdout => stdout, Stderr => stderr, _ => null };
            if (target is not null && count > 1)
            {
                await target.WriteAsync(buffer.AsMemory(1, count - 1), cancellationToken);
            }
        }
    }

    /// <summary>Gives the client's input to the container. Its end closes the container's input where that was opened for one client.</summary>
    internal async Task FeedAsync(Stream stdin, CancellationToken cancellationToken)
    {
        var buffer = new byte[InputSize];
        int count;
        while ((count = await stdin.ReadAsync(buffer, cancellationToken)) > 0)
        {
            await SendAsync(buffer.AsMemory(0, count), cancellationToken);
        }

        _socket.Shutdown(SocketShutdown.Send);
    }

    internal void Resize(ushort width, ushort height) => Control(_bundle, $"1 {height} {width}\n");

    /// <summary>Writes a command for a container's conmon. An <see cref="IOException"/> when there is none.</summary>
    internal static void Control(string bundle, string command)
    {
        using SafeFileHandle fifo = Descriptors.OpenFifoForWriting(Path.Combine(bundle, Conmon.ControlFifo));
        Descriptors.WriteAll(fifo, Encoding.ASCII.GetBytes(command));
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Sends one packet of at most <see cref="InputSize"/>. An <see cref="IOException"/> when conmon is gone.</summary>
    internal async ValueTask SendAsync(ReadOnlyMemory<byte> packet, CancellationToken cancellationToken)
    {
        try
        {
            await _socket.SendAsync(packet, cancellationToken);
        }
        catch (SocketException failure)
        {
            throw new IOException($"attach: {failure.Message}", failure);
        }
    }

    /// <summary>Receives one packet; 0 at the end.</summary>
    internal async ValueTask<int> ReceiveAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionReset)
        {
            // conmon ended with input of ours unread. The kernel tells that once, and before the packets that lie ready.
            return await ReceiveLastAsync(buffer, cancellationToken);
        }
    }

    private async ValueTask<int> ReceiveLastAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }
}

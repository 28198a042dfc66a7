using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Netlink;

/// <summary>
/// A netlink socket. It belongs to the network namespace of the thread that opens it, wherever it is used later: a socket opened on
/// a namespace's thread configures that namespace from any other. Not for use by two threads at once.
/// </summary>
public sealed unsafe class NetlinkSocket : IDisposable
{
    private const int Netlink = 16;
    private const int Raw = 3;
    private const int RouteProtocol = 0;
    private const int NetfilterProtocol = 12;
    private const int CloseOnExec = 0x80000;
    private const int SocketLevel = 1;
    private const int ReceiveTimeout = 20;
    private const ushort Error = 2;
    private const ushort Done = 3;
    private const int BufferSize = 64 * 1024;
    private readonly SafeFileHandle _handle;
    private uint _sequence;

    private NetlinkSocket(SafeFileHandle handle) => _handle = handle;

    /// <summary>Opens a socket for interfaces, addresses and routes in the calling thread's network namespace.</summary>
    public static NetlinkSocket Open() => Open(RouteProtocol);

    /// <summary>Opens a socket for netfilter in the calling thread's network namespace.</summary>
    public static NetlinkSocket OpenNetfilter() => Open(NetfilterProtocol);

    private static NetlinkSocket Open(int protocol)
    {
        var descriptor = Libc.socket(Netlink, Raw | CloseOnExec, protocol);
        LinuxException.ThrowIf(descriptor < 0, "open a netlink socket");
        var socket = new NetlinkSocket(new SafeFileHandle(descriptor, true));
        var address = stackalloc byte[12] { Netlink, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
        LinuxException.ThrowIf(Libc.bind(descriptor, address, 12) != 0, "bind a netlink socket");
        // The kernel answers at once; a bound keeps a lost answer from hanging a thread for ever.
        var timeout = stackalloc long[2] { 10, 0 };
        LinuxException.ThrowIf(Libc.setsockopt(descriptor, SocketLevel, ReceiveTimeout, timeout, 16) != 0, "bound a netlink socket's wait");
        return socket;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>Sends a message that asks for an acknowledgement and waits for it; throws <see cref="LinuxException"/> on a refusal.</summary>
    internal void Execute(NetlinkMessage message, string operation) => Exchange(message, operation, static (_, _) => { });

    /// <summary>Sends a message and gives each part of the answer to the handler: type and payload.</summary>
    internal void Exchange(NetlinkMessage message, string operation, Action<ushort, byte[]> handler)
    {
        var sequence = ++_sequence;
        var bytes = message.Finish(sequence);
        fixed (byte* start = bytes)
        {
            LinuxException.ThrowIf(Libc.send(Descriptors.Number(_handle), start, (nuint)bytes.Length, 0) != bytes.Length, operation);
        }

        var buffer = new byte[BufferSize];
        while (!Handle(Receive(buffer, operation), sequence, operation, handler))
        {
        }
    }

    private ReadOnlySpan<byte> Receive(byte[] buffer, string operation)
    {
        fixed (byte* start = buffer)
        {
            nint count;
            do
            {
                count = Libc.recv(Descriptors.Number(_handle), start, BufferSize, 0);
            }
            while (count < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);
            LinuxException.ThrowIf(count < 0, operation);
            return buffer.AsSpan(0, (int)count);
        }
    }

    // True when the answer is complete.
    private static bool Handle(ReadOnlySpan<byte> answer, uint sequence, string operation, Action<ushort, byte[]> handler)
    {
        while (answer.Length >= NetlinkMessage.HeaderSize)
        {
            var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(answer);
            if (length < NetlinkMessage.HeaderSize || length > answer.Length)
            {
                throw new IOException($"{operation}: a malformed netlink answer");
            }

            var type = BinaryPrimitives.ReadUInt16LittleEndian(answer[4..]);
            var payload = answer[NetlinkMessage.HeaderSize..length];
            if (BinaryPrimitives.ReadUInt32LittleEndian(answer[8..]) == sequence)
            {
                if (type == Error)
                {
                    var errno = -BinaryPrimitives.ReadInt32LittleEndian(payload);
                    return errno == 0 ? true : throw new LinuxException(errno, operation);
                }

                if (type == Done)
                {
                    return true;
                }

                handler(type, payload.ToArray());
            }

            answer = answer[Math.Min(answer.Length, (length + 3) & ~3)..];
        }

        return false;
    }
}

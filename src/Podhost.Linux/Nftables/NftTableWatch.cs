using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;
using Podhost.Linux.Netlink;
using Podhost.Linux.Polling;

namespace Podhost.Linux.Nftables;

/// <summary>Tells when a table may be gone: a firewall that reloads its rules often removes everybody's.</summary>
public interface INftTableWatch : IDisposable
{
    /// <summary>Completes when the table was removed, or when so much happened that the kernel could not tell all. Look whether it is there.</summary>
    /// <param name="family">The table's family.</param>
    /// <param name="table">The table.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task WaitAsync(NftFamily family, string table, CancellationToken cancellationToken);
}

/// <summary>The notifications of nf_tables (linux/netfilter/nf_tables.h) in the network namespace of the thread that opened it.</summary>
public sealed class NftTableWatch : INftTableWatch
{
    private const int Netlink = 16;
    private const int RawCloseOnExec = 3 | 0x80000;
    private const int NetfilterProtocol = 12;
    private const uint NftablesGroup = 1u << 6;
    private const int DoNotWait = 0x40;
    private const int BufferSize = 64 * 1024;
    private const ushort DeleteTable = 0x0a02;
    private const ushort TableName = 1;
    private readonly SafeFileHandle _handle;
    private readonly byte[] _buffer = new byte[BufferSize];

    private NftTableWatch(SafeFileHandle handle) => _handle = handle;

    /// <summary>Begins to listen: nothing that happens from here on is missed.</summary>
    public static unsafe NftTableWatch Open()
    {
        var descriptor = Libc.socket(Netlink, RawCloseOnExec, NetfilterProtocol);
        LinuxException.ThrowIf(descriptor < 0, "open a netlink socket");
        var watch = new NftTableWatch(new SafeFileHandle(descriptor, true));
        // struct sockaddr_nl: family, padding, port, groups
        var address = stackalloc byte[12];
        new Span<byte>(address, 12).Clear();
        address[0] = Netlink;
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(address + 8, 4), NftablesGroup);
        if (Libc.bind(descriptor, address, 12) != 0)
        {
            var failure = new LinuxException(Marshal.GetLastPInvokeError(), "listen to nf_tables");
            watch.Dispose();
            throw failure;
        }

        return watch;
    }

    /// <inheritdoc/>
    public async Task WaitAsync(NftFamily family, string table, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(family);
        while (!Drain(family, table))
        {
            await DescriptorPoller.Shared.WaitReadableAsync(_handle, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    // Reads what is there; true where the table may be gone.
    private unsafe bool Drain(NftFamily family, string table)
    {
        var gone = false;
        while (true)
        {
            nint count;
            fixed (byte* start = _buffer)
            {
                count = Libc.recv(Descriptors.Number(_handle), start, BufferSize, DoNotWait);
            }

            if (count >= 0)
            {
                gone |= Tells(_buffer.AsSpan(0, (int)count), family, table);
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.EINTR:
                    break;
                case Errno.ENOBUFS:
                    gone = true;
                    break;
                case Errno.EAGAIN:
                    return gone;
                case var errno:
                    throw new LinuxException(errno, "listen to nf_tables");
            }
        }
    }

    private static bool Tells(ReadOnlySpan<byte> messages, NftFamily family, string table)
    {
        while (messages.Length >= NetlinkMessage.HeaderSize + 4)
        {
            var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(messages);
            if (length < NetlinkMessage.HeaderSize + 4 || length > messages.Length)
            {
                return false;
            }

            if (BinaryPrimitives.ReadUInt16LittleEndian(messages[4..]) == DeleteTable
                && messages[NetlinkMessage.HeaderSize] == family.Number
                && NetlinkAttributes.Read(messages[(NetlinkMessage.HeaderSize + 4)..length]).Any(a => a.Type == TableName && NetlinkAttributes.Text(a.Value) == table))
            {
                return true;
            }

            messages = messages[Math.Min(messages.Length, (length + 3) & ~3)..];
        }

        return false;
    }
}

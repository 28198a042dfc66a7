using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Terminals;

/// <summary>A pseudo-terminal: what is written to one side is read at the other, as a terminal's line would.</summary>
public sealed unsafe class PseudoTerminal : IDisposable
{
    private const int ReadWrite = 2;
    private const int NoControllingTerminal = 0x100;
    private const int CloseOnExec = 0x80000;
    private const nuint SetWindowSize = 0x5414;
    private const nuint OpenPeer = 0x5441;

    private PseudoTerminal(SafeFileHandle master, SafeFileHandle slave) => (Master, Slave) = (master, slave);

    /// <summary>Our side.</summary>
    public SafeFileHandle Master { get; }

    /// <summary>The program's side.</summary>
    public SafeFileHandle Slave { get; }

    /// <summary>Opens a pair.</summary>
    public static PseudoTerminal Open()
    {
        var master = Libc.posix_openpt(ReadWrite | NoControllingTerminal | CloseOnExec);
        LinuxException.ThrowIf(master < 0, "open a terminal");
        var handle = new SafeFileHandle(master, true);
        LinuxException.ThrowIf(Libc.grantpt(master) != 0 || Libc.unlockpt(master) != 0, "unlock a terminal");
        var slave = Libc.ioctl(master, OpenPeer, (void*)(nint)(ReadWrite | NoControllingTerminal | CloseOnExec));
        LinuxException.ThrowIf(slave < 0, "open a terminal's other side");
        return new PseudoTerminal(handle, new SafeFileHandle(slave, true));
    }

    /// <summary>
    /// Passes bytes on as they are. For a terminal that only carries what another one has made already: else a line's end is made twice.
    /// </summary>
    public void MakeRaw()
    {
        // A termios of the C library has 60 bytes.
        var settings = stackalloc byte[128];
        var slave = Descriptors.Number(Slave);
        LinuxException.ThrowIf(Libc.tcgetattr(slave, settings) != 0, "read a terminal's settings");
        Libc.cfmakeraw(settings);
        LinuxException.ThrowIf(Libc.tcsetattr(slave, 0, settings) != 0, "set a terminal raw");
    }

    /// <summary>Sets the size in characters.</summary>
    /// <param name="master">The master of a pair.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    public static void Resize(SafeFileHandle master, ushort width, ushort height)
    {
        ArgumentNullException.ThrowIfNull(master);
        var size = stackalloc ushort[4] { height, width, 0, 0 };
        LinuxException.ThrowIf(Libc.ioctl(Descriptors.Number(master), SetWindowSize, size) != 0, "resize a terminal");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Master.Dispose();
        Slave.Dispose();
    }
}

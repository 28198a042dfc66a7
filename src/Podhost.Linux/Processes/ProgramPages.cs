using System.Globalization;
using Podhost.Linux.Native;

namespace Podhost.Linux.Processes;

/// <summary>The pages of this process that are clean copies of its program and libraries.</summary>
public static class ProgramPages
{
    private const int DontNeed = 4;

    /// <summary>
    /// Gives the pages of code back to the kernel's page cache: what runs again is mapped again, sixteen pages a fault, without reading the
    /// disk; what only the start needed stays away. Writable memory is never touched.
    /// </summary>
    /// <returns>The bytes of address space that were given back.</returns>
    public static long Release()
    {
        var released = 0L;
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            if (CodeOf(line) is var (start, length) && Libc.madvise(start, (nuint)length, DontNeed) == 0)
            {
                released += length;
            }
        }

        return released;
    }

    /// <summary>The range of a line of /proc/PID/maps that is code of a file: executable, not writable, private.</summary>
    /// <param name="line">For example "00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/program".</param>
    /// <returns>The address and the length in bytes; nothing for another kind of mapping.</returns>
    internal static (nint Start, long Length)? CodeOf(string line)
    {
        var fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (fields is not [var range, "r-xp", _, _, not "0", ['/', ..]] || range.Split('-') is not [var from, var to])
        {
            return null;
        }

        var start = long.Parse(from, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return ((nint)start, long.Parse(to, NumberStyles.HexNumber, CultureInfo.InvariantCulture) - start);
    }
}

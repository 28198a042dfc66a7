using System.Globalization;

namespace Podhost.Linux.Processes;

/// <summary>A process, told apart from a later one with the same id by its start time.</summary>
/// <param name="Pid">The process id.</param>
/// <param name="StartTime">Clock ticks since boot (field 22 of /proc/PID/stat).</param>
public sealed record ProcessIdentity(int Pid, ulong StartTime)
{
    /// <summary>The process with this id now; null when there is none or it is a zombie.</summary>
    /// <param name="pid">The process id.</param>
    public static ProcessIdentity? Read(int pid)
    {
        try
        {
            return Parse(pid, File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat"));
        }
        catch (IOException)
        {
            return null; // Gone; ESRCH while reading counts as well.
        }
    }

    internal static ProcessIdentity? Parse(int pid, string stat)
    {
        // The second field, the name in brackets, may hold blanks and brackets of its own.
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length < 20 || fields[0] is "Z" or "X"
            ? null
            : new ProcessIdentity(pid, ulong.Parse(fields[19], CultureInfo.InvariantCulture));
    }
}

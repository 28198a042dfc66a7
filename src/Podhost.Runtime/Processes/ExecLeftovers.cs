using System.Globalization;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.Processes;

/// <summary>
/// Commands in containers belong to a client's connection, and so to one run of this process. What a killed run left behind is ended at
/// the next start: a command with a terminal has a watcher of its own, which notices nothing of our end.
/// </summary>
internal static class ExecLeftovers
{
    /// <summary>How the directory of a command in a container's bundle begins.</summary>
    internal const string Prefix = "exec-";

    private const string MonitorFile = "monitor";

    /// <summary>Notes who watches over a command, for a later run.</summary>
    internal static void Note(string directory, int pid)
    {
        if (ProcessIdentity.Read(pid) is { } monitor)
        {
            File.WriteAllText(Path.Combine(directory, MonitorFile), string.Create(CultureInfo.InvariantCulture, $"{monitor.Pid} {monitor.StartTime}"));
        }
    }

    /// <summary>Ends and forgets the commands of an earlier run. Only before any is started in this one.</summary>
    /// <param name="bundles">The directory of all bundles.</param>
    internal static void Clean(string bundles)
    {
        foreach (var directory in Directory.EnumerateDirectories(bundles).SelectMany(bundle => Directory.EnumerateDirectories(bundle, Prefix + "*")).ToList())
        {
            if (Read(Path.Combine(directory, MonitorFile)) is { } monitor)
            {
                ProcessTree.Kill(monitor);
            }

            Directory.Delete(directory, recursive: true);
        }
    }

    private static ProcessIdentity? Read(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        var words = File.ReadAllText(file).Split(' ');
        return words.Length == 2 && int.TryParse(words[0], CultureInfo.InvariantCulture, out var pid) && ulong.TryParse(words[1], CultureInfo.InvariantCulture, out var start)
            ? new ProcessIdentity(pid, start)
            : null;
    }
}

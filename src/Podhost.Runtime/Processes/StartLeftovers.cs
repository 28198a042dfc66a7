using System.Globalization;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.Processes;

/// <summary>
/// Starts of containers that an earlier run began and did not see the end of: conmon lives on and may still be about to create the
/// container. Before such a start is given up, nothing of it must be left that goes on with it.
/// </summary>
internal static class StartLeftovers
{
    private const int MaxRounds = 16;

    /// <summary>Ends conmon and the OCI runtime of a start, with all that they started. Only while nothing in this run has begun one.</summary>
    /// <param name="bundle">The container's bundle: what works on it has it among its arguments.</param>
    internal static void End(string bundle)
    {
        // Again: one that was just being forked has its arguments only a moment later.
        for (var round = 0; round < MaxRounds; round++)
        {
            var found = Working(bundle).ToList();
            if (found.Count == 0)
            {
                return;
            }

            found.ForEach(ProcessTree.Kill);
        }
    }

    private static IEnumerable<ProcessIdentity> Working(string bundle) => Directory.EnumerateDirectories("/proc")
        .Select(directory => int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0 && pid != Environment.ProcessId && Arguments(pid).Contains(bundle, StringComparer.Ordinal))
        .Select(ProcessIdentity.Read)
        .OfType<ProcessIdentity>();

    private static string[] Arguments(int pid)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline")).Split('\0');
        }
        catch (IOException)
        {
            return []; // ended meanwhile
        }
    }
}

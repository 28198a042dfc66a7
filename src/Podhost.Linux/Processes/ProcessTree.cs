using System.Globalization;

namespace Podhost.Linux.Processes;

/// <summary>The descendants of a process.</summary>
public static class ProcessTree
{
    private const int Kill9 = 9;
    private const int Stop = 19;
    private const int MaxRounds = 16;

    /// <summary>The processes that a process started and that still have it as an ancestor, itself first.</summary>
    /// <param name="pid">The process id.</param>
    public static IReadOnlyList<int> Descendants(int pid)
    {
        var found = new List<int> { pid };
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(Children(found[i]));
        }

        return found;
    }

    /// <summary>
    /// Kills a process and what it started. Everything is stopped first, so that nothing can start more; what has left the tree by
    /// daemonizing is not reached.
    /// </summary>
    /// <param name="root">The process.</param>
    public static void Kill(ProcessIdentity root)
    {
        ArgumentNullException.ThrowIfNull(root);
        using var handle = PidFd.Open(root);
        if (handle is null)
        {
            return;
        }

        var stopped = new HashSet<int>();
        for (var round = 0; round < MaxRounds; round++)
        {
            var news = Descendants(root.Pid).Where(stopped.Add).ToList();
            news.ForEach(pid => _ = Native.Libc.kill(pid, Stop));
            if (news.Count == 0)
            {
                break;
            }
        }

        foreach (var pid in stopped)
        {
            _ = Native.Libc.kill(pid, Kill9);
        }
    }

    private static IEnumerable<int> Children(int pid)
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/task")
                .SelectMany(task => File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(child => int.Parse(child, CultureInfo.InvariantCulture))
                .ToList();
        }
        catch (IOException)
        {
            return [];
        }
    }
}

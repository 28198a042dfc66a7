using Podhost.Linux.Processes;

namespace Podhost.Linux.Modules;

/// <summary>Parts of the kernel that a distribution ships as modules, and that nothing loads by itself before they are used.</summary>
public static class KernelModules
{
    /// <summary>Loads modules with what they need, by modprobe. What cannot be loaded is left out: who needs it sees that it is missing.</summary>
    /// <param name="names">Module names.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task LoadAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (ProgramFinder.Find("modprobe") is { } modprobe)
        {
            await ProgramRunner.RunAsync(new SpawnRequest(modprobe, ["-a", "--", .. names]), null, cancellationToken);
        }
    }

    /// <summary>True where a list of modules (modules.dep or modules.builtin) names one.</summary>
    /// <param name="list">The text of the file.</param>
    /// <param name="name">A module name; '-' and '_' are the same in it.</param>
    public static bool Lists(string list, string name)
    {
        ArgumentNullException.ThrowIfNull(list);
        ArgumentNullException.ThrowIfNull(name);
        foreach (var line in list.AsSpan().EnumerateLines())
        {
            var path = line.IndexOf(':') is >= 0 and var end ? line[..end] : line;
            var file = path[(path.LastIndexOf('/') + 1)..];
            var extension = file.IndexOf(".ko", StringComparison.Ordinal);
            if (extension > 0 && file[..extension].ToString().Replace('-', '_') == name.Replace('-', '_'))
            {
                return true;
            }
        }

        return false;
    }
}

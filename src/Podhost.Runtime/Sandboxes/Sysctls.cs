using Podhost.Linux.Namespaces;

namespace Podhost.Runtime.Sandboxes;

/// <summary>Kernel parameters that belong to a namespace. Pure.</summary>
internal static class Sysctls
{
    private static readonly string[] IpcNames =
        ["kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"];

    /// <summary>The kind of namespace that a parameter belongs to; null when it is the whole machine's.</summary>
    internal static NamespaceKinds? NamespaceOf(string name)
    {
        var dotted = Dotted(name);
        return dotted.StartsWith("net.", StringComparison.Ordinal) ? NamespaceKinds.Network
            : dotted.StartsWith("fs.mqueue.", StringComparison.Ordinal) || IpcNames.Contains(dotted) ? NamespaceKinds.Ipc
            : null;
    }

    /// <summary>The parameter's file.</summary>
    internal static string PathOf(string name)
    {
        // With dots as separators a slash stands for a dot inside a part (an interface's name), and the other way round.
        var parts = Dotted(name).Split('.').Select(part => part.Replace('/', '.')).ToArray();
        return parts.All(part => part.Length > 0 && part is not ".." and not ".")
            ? "/proc/sys/" + string.Join('/', parts)
            : throw new ArgumentException($"{name} is no kernel parameter", nameof(name));
    }

    /// <summary>The name with dots as separators.</summary>
    internal static string Dotted(string name)
    {
        var (slash, dot) = (name.IndexOf('/', StringComparison.Ordinal), name.IndexOf('.', StringComparison.Ordinal));
        return slash >= 0 && (dot < 0 || slash < dot)
            ? string.Concat(name.Select(letter => letter switch { '/' => '.', '.' => '/', _ => letter }))
            : name;
    }
}

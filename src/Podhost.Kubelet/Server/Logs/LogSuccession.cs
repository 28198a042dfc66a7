namespace Podhost.Kubelet.Server.Logs;

/// <summary>In which order the files of one log are to be read. Names of rotated files sort by their times (<see cref="Podhost.Kubelet.Logs.LogRotationRules"/>). Pure.</summary>
internal static class LogSuccession
{
    private const string Compressed = ".gz";
    private const string Deleted = " (deleted)";

    /// <summary>The name of an open file that was the log once: without what compression and removal have added.</summary>
    /// <param name="target">As the kernel names it.</param>
    public static string NameOf(string target)
    {
        var name = Path.GetFileName(target);
        name = name.EndsWith(Deleted, StringComparison.Ordinal) ? name[..^Deleted.Length] : name;
        return IsCompressed(name) ? name[..^Compressed.Length] : name;
    }

    /// <summary>The content must be unpacked, and grows no more.</summary>
    public static bool IsCompressed(string file) => file.EndsWith(Compressed, StringComparison.Ordinal);

    /// <summary>The file that goes on where one ends: the next younger rotated one, or the log itself.</summary>
    /// <param name="log">The log's name.</param>
    /// <param name="read">Name of the file that was read to its end.</param>
    /// <param name="files">Names of all files beside it.</param>
    public static string After(string log, string read, IEnumerable<string> files) => files
        .Where(file => file.StartsWith(log + ".", StringComparison.Ordinal) && !file.EndsWith(".tmp", StringComparison.Ordinal))
        .Where(file => read != log && string.CompareOrdinal(NameOf(file), read) > 0)
        .Order(StringComparer.Ordinal) // the file itself before the half-made copy of its content
        .FirstOrDefault() ?? log;
}

using System.Globalization;
using System.Text;

namespace Podhost.Linux.Mounts;

/// <summary>One line of /proc/PID/mountinfo (proc(5)).</summary>
/// <param name="Root">The path inside the file system that is shown.</param>
/// <param name="MountPoint">Where it is shown.</param>
/// <param name="FileSystem">The file system type.</param>
/// <param name="Source">The device or name.</param>
/// <param name="SuperOptions">Options of the file system.</param>
/// <param name="Optional">The propagation fields, such as <c>shared:3</c>.</param>
public sealed record MountEntry(string Root, string MountPoint, string FileSystem, string Source, string SuperOptions, string Optional);

/// <summary>Reads the mount table.</summary>
public static class MountTable
{
    /// <summary>The mounts of this process.</summary>
    public static IReadOnlyList<MountEntry> Read() => Parse(File.ReadAllText("/proc/self/mountinfo"));

    /// <summary>Parses the text of a mountinfo file; lines of another shape are left out.</summary>
    /// <param name="text">The text.</param>
    public static IReadOnlyList<MountEntry> Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
            if (dash < 6 || fields.Length < dash + 4)
            {
                continue;
            }

            entries.Add(new MountEntry(
                Unescape(fields[3]), Unescape(fields[4]), fields[dash + 1], Unescape(fields[dash + 2]), fields[dash + 3],
                string.Join(' ', fields[6..dash])));
        }

        return entries;
    }

    /// <summary>The mount that a path lies on; null for an empty table.</summary>
    /// <param name="entries">The mount table.</param>
    /// <param name="path">An absolute path without links.</param>
    public static MountEntry? Containing(IReadOnlyList<MountEntry> entries, string path)
    {
        MountEntry? best = null;
        foreach (var entry in entries)
        {
            // Of mounts on one point the last hides the others.
            if (IsBelow(path, entry.MountPoint) && (best is null || entry.MountPoint.Length >= best.MountPoint.Length))
            {
                best = entry;
            }
        }

        return best;
    }

    private static bool IsBelow(string path, string parent) =>
        parent == "/" || path == parent || path.StartsWith(parent + "/", StringComparison.Ordinal);

    // Blank, tab, newline and backslash are written as three octal digits.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        var result = new StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length)
            {
                result.Append((char)Convert.ToInt32(field.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                result.Append(CultureInfo.InvariantCulture, $"{field[i]}");
            }
        }

        return result.ToString();
    }
}

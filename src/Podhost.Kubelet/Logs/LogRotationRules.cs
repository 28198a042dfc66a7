using System.Globalization;

namespace Podhost.Kubelet.Logs;

/// <summary>
/// Names of rotated logs and what becomes of them. Pure. Source: upstream's container log manager: the newest rotated file stays readable,
/// older ones are compressed at the next rotation, the oldest go.
/// </summary>
internal static class LogRotationRules
{
    private const string Compressed = ".gz";
    private const string Unfinished = ".tmp";

    /// <summary>The name of a log that is rotated now, in UTC: <c>0.log.20260102-150405</c>.</summary>
    public static string Rotated(string log, DateTimeOffset now) => $"{log}.{now.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";

    public static string CompressedName(string rotated) => rotated + Compressed;

    public static string UnfinishedName(string rotated) => rotated + Compressed + Unfinished;

    /// <summary>What must be done with the rotated files before one more is made.</summary>
    /// <param name="rotated">All <c>&lt;log&gt;.*</c>, in any order.</param>
    /// <param name="maxFiles">How many files a container may have, the current one among them; 2 or more.</param>
    public static RotatedFiles Plan(IEnumerable<string> rotated, int maxFiles)
    {
        var all = rotated.ToHashSet(StringComparer.Ordinal);

        // A process that ended while it compressed leaves half a file; one that ended thereafter leaves both.
        var useless = all.Where(f => f.EndsWith(Unfinished, StringComparison.Ordinal) || all.Contains(CompressedName(f))).ToList();
        var kept = all.Except(useless).Order(StringComparer.Ordinal).ToList();

        // One place is the current log's, one that of the file which is about to be made.
        var excess = kept.Take(Math.Max(0, kept.Count - Math.Max(0, maxFiles - 2))).ToList();
        return new RotatedFiles(
            [.. useless.Concat(excess).Order(StringComparer.Ordinal)],
            [.. kept.Skip(excess.Count).Where(f => !f.EndsWith(Compressed, StringComparison.Ordinal))]);
    }
}

/// <summary>What becomes of rotated files.</summary>
/// <param name="Remove">Deleted.</param>
/// <param name="Compress">Replaced by a compressed file.</param>
internal sealed record RotatedFiles(IReadOnlyList<string> Remove, IReadOnlyList<string> Compress);

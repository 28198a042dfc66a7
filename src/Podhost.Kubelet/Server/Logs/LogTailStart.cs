using Microsoft.Win32.SafeHandles;

namespace Podhost.Kubelet.Server.Logs;

/// <summary>Finds where the last lines of a log begin, reading it from its end. Pieces of one long line (tag P) count as one.</summary>
internal static class LogTailStart
{
    private const int Block = 64 * 1024;

    /// <summary>Offset of the first of the last <paramref name="lines"/> lines; 0 where there are no more.</summary>
    public static long Find(SafeFileHandle file, long lines)
    {
        var end = RandomAccess.GetLength(file);
        if (lines <= 0)
        {
            return end;
        }

        var buffer = new byte[Block];
        var head = new byte[CriLogLine.MaxHead];
        long found = 0;
        var lineEnd = end; // start of the line behind the one that is looked for
        var isLast = true;
        for (var blockEnd = end; blockEnd > 0;)
        {
            var start = Math.Max(0, blockEnd - Block);
            var n = RandomAccess.Read(file, buffer.AsSpan(0, (int)(blockEnd - start)), start);
            for (var i = n - 1; i >= 0; i--)
            {
                if (buffer[i] != (byte)'\n' || start + i + 1 >= lineEnd)
                {
                    continue;
                }

                if (Count(start + i + 1))
                {
                    return lineEnd;
                }
            }

            blockEnd = start;
        }

        return Count(0) ? lineEnd : 0;

        // Takes the line that starts there; true where the line behind it is the first of those asked for.
        bool Count(long lineStart)
        {
            var isPartial = IsPartial(lineStart);
            if (!isPartial || isLast)
            {
                if (found == lines)
                {
                    return true;
                }

                found++;
            }

            isLast = false;
            lineEnd = lineStart;
            return false;
        }

        bool IsPartial(long lineStart)
        {
            var n = RandomAccess.Read(file, head, lineStart);
            return CriLogLine.TryParse(head.AsSpan(0, n), out var line) && line.IsPartial;
        }
    }
}

using System.Text;

namespace Podhost.Kubelet.Status;

/// <summary>The end of a container's log in CRI format (<c>time stream P|F content</c>), without the prefixes.</summary>
internal static class LogTail
{
    /// <summary>At most so many last lines and so many last bytes of content; empty where the log cannot be read.</summary>
    public static string Read(string path, int maxLines, int maxBytes)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

            // A line's prefix is about 45 bytes; reading so much in any case holds what is asked for, or the last lines of it.
            var window = maxBytes + (maxLines * 64) + 4096;
            file.Seek(Math.Max(0, file.Length - window), SeekOrigin.Begin);
            var buffer = new byte[window];
            var read = file.ReadAtLeast(buffer, window, throwOnEndOfStream: false);
            return Tail(Encoding.UTF8.GetString(buffer, 0, read), file.Length > window, maxLines, maxBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "";
        }
    }

    /// <summary>The end of a text of CRI lines; the first one is dropped where it is cut.</summary>
    internal static string Tail(string text, bool cut, int maxLines, int maxBytes)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var content = new StringBuilder();
        var logical = new List<string>();
        foreach (var line in lines.Skip(cut ? 1 : 0))
        {
            var parts = line.Split(' ', 4);
            if (parts.Length < 4)
            {
                continue;
            }

            content.Append(parts[3]);
            if (parts[2].StartsWith('F'))
            {
                logical.Add(content.Append('\n').ToString());
                content.Clear();
            }
        }

        if (content.Length > 0)
        {
            logical.Add(content.ToString());
        }

        var tail = string.Concat(logical.Skip(Math.Max(0, logical.Count - maxLines)));
        var bytes = Encoding.UTF8.GetBytes(tail);
        return bytes.Length <= maxBytes ? tail : Encoding.UTF8.GetString(bytes, bytes.Length - maxBytes, maxBytes);
    }
}

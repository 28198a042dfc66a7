using System.Text;

namespace Podhost.Linux.Files;

/// <summary>Conversions between .NET strings and the NUL-terminated bytes of system calls.</summary>
public static class PathBytes
{
    /// <summary>The bytes of a path with the ending NUL.</summary>
    /// <exception cref="ArgumentException">The path contains NUL.</exception>
    public static byte[] From(string path) => From(Encoding.UTF8.GetBytes(path));

    /// <summary>A copy of the bytes with the ending NUL.</summary>
    /// <exception cref="ArgumentException">The path contains NUL.</exception>
    public static byte[] From(ReadOnlySpan<byte> path)
    {
        if (path.Contains((byte)0))
        {
            throw new ArgumentException("a path contains NUL");
        }

        var bytes = new byte[path.Length + 1];
        path.CopyTo(bytes);
        return bytes;
    }

    /// <summary>For messages only: invalid UTF-8 is replaced.</summary>
    public static string Show(ReadOnlySpan<byte> path)
    {
        var end = path.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? path : path[..end]);
    }
}

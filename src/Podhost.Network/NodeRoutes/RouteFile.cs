using System.Net;

namespace Podhost.Network.NodeRoutes;

/// <summary>The ranges to which this instance made routes in this boot, one a line. Replaced whole.</summary>
internal static class RouteFile
{
    /// <summary>What is written down; nothing where there is no file. A line that is no range is left out.</summary>
    public static List<IPNetwork> Read(string path)
    {
        try
        {
            return [.. File.ReadLines(path).Where(l => IPNetwork.TryParse(l, out _)).Select(l => IPNetwork.Parse(l))];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <summary>Writes ranges down.</summary>
    public static void Write(string path, IEnumerable<IPNetwork> ranges)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path + ".new", ranges.Select(r => $"{r}"));
        File.Move(path + ".new", path, overwrite: true);
    }
}

namespace Podhost.Runtime.Network.Cni;

/// <summary>Where CNI configurations lie. The first one by name is the network; the others are for other tools.</summary>
internal static class CniDirectory
{
    private const int MaxBytes = 1 << 20;
    private static readonly string[] Extensions = [".conf", ".conflist", ".json"];

    /// <summary>The network of a directory, read now; null where there is none.</summary>
    /// <exception cref="FormatException">The first file cannot be used; the message names it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static CniConfiguration? Load(string directory)
    {
        var first = Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory).Where(file => Extensions.Contains(Path.GetExtension(file))).Order(StringComparer.Ordinal).FirstOrDefault()
            : null;
        if (first is null)
        {
            return null;
        }

        if (new FileInfo(first).Length > MaxBytes)
        {
            throw new FormatException($"{first}: longer than {MaxBytes} bytes");
        }

        try
        {
            return CniConfiguration.Parse(File.ReadAllText(first));
        }
        catch (FormatException failure)
        {
            throw new FormatException($"{first}: {failure.Message}");
        }
    }
}

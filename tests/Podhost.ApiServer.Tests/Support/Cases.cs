namespace Podhost.ApiServer.Tests.Support;

/// <summary>The golden files below tests/cases/apiserver.</summary>
internal static class Cases
{
    public static bool Rewrite => Environment.GetEnvironmentVariable("REWRITE_CASES") == "1";

    public static string Folder(string topic)
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (Directory.Exists(Path.Combine(at, "tests", "cases")))
            {
                return Path.Combine(at, "tests", "cases", "apiserver", topic);
            }
        }

        throw new DirectoryNotFoundException("tests/cases");
    }

    public static TheoryData<string> Of(string topic) => [.. Directory.GetDirectories(Folder(topic)).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

    /// <summary>Compares with the golden file, or writes it where a rewrite is asked for.</summary>
    public static void Check(string topic, string name, string file, IEnumerable<string> lines)
    {
        var path = Path.Combine(Folder(topic), name, file);
        string[] actual = [.. lines];
        if (Rewrite)
        {
            File.WriteAllLines(path, actual);
        }

        Assert.Equal(File.ReadAllLines(path), actual);
    }
}

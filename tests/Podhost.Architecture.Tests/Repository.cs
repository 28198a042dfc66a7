namespace Podhost.Architecture.Tests;

/// <summary>The source tree that the tests run from.</summary>
internal static class Repository
{
    /// <summary>The directory of Podhost.slnx.</summary>
    public static string Root { get; } = Find();

    /// <summary>The product's source files, generated ones left out.</summary>
    public static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Podhost.slnx")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("Podhost.slnx is above no directory of the tests");
    }
}

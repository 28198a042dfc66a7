namespace Podhost.Integration.Tests.Instances;

/// <summary>The executable under test: PODHOST_EXE, else what was built with the tests.</summary>
internal static class Executable
{
    private static readonly string? Given = Environment.GetEnvironmentVariable("PODHOST_EXE");

    /// <summary>The root of the source tree.</summary>
    public static string Source { get; } = FindSource();

    public static string File => Given ?? "dotnet";

    public static string[] Arguments => Given is not null ? [] : [Path.Combine(Source, "src/Podhost/bin", Configuration, "net10.0/podhost.dll")];

    /// <summary>A program that was built with the tests, for <c>dotnet</c>.</summary>
    /// <param name="project">Its project, below tests/.</param>
    public static string Built(string project) => Path.Combine(Source, "tests", project, "bin", Configuration, "net10.0", project + ".dll");

    private static string Configuration => AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";

    private static string FindSource()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !System.IO.File.Exists(Path.Combine(directory.FullName, "Podhost.slnx")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("the tests run below the source tree");
    }
}

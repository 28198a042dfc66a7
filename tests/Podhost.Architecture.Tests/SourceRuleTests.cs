namespace Podhost.Architecture.Tests;

/// <summary>Rules of the source that no analyzer knows.</summary>
public sealed class SourceRuleTests
{
    private const int LongestFile = 600;

    [Fact]
    public void Only_Podhost_Linux_calls_into_the_system() =>
        AssertNowhere(["[LibraryImport", "[DllImport"], file => file.Contains("/Podhost.Linux/", StringComparison.Ordinal));

    [Fact]
    public void Nothing_is_left_unimplemented() => AssertNowhere(["NotImplementedException"], _ => false);

    [Fact]
    public void Only_the_executable_ends_the_process() =>
        AssertNowhere(["Environment.Exit(", "Environment.FailFast("], file => file.Contains("/src/Podhost/", StringComparison.Ordinal));

    [Fact]
    public void No_method_is_async_void() => AssertNowhere(["async void "], _ => false);

    [Fact]
    public void A_file_can_be_read_in_one_sitting()
    {
        var long_ = Repository.Sources().Where(f => File.ReadLines(f).Count() > LongestFile).ToList();
        Assert.True(long_.Count == 0, $"longer than {LongestFile} lines: {string.Join(", ", long_.Select(Relative))}");
    }

    private static void AssertNowhere(string[] texts, Func<string, bool> except)
    {
        var found = Repository.Sources().Where(f => !except(f)).Where(f => File.ReadAllText(f) is var source && texts.Any(t => source.Contains(t, StringComparison.Ordinal))).ToList();
        Assert.True(found.Count == 0, $"{string.Join(" or ", texts)} in {string.Join(", ", found.Select(Relative))}");
    }

    private static string Relative(string file) => Path.GetRelativePath(Repository.Root, file);
}

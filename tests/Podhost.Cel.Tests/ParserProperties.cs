using CsCheck;
using Podhost.Cel.Types;

namespace Podhost.Cel.Tests;

/// <summary>Whatever the text is, compiling and evaluating it end, and never throw.</summary>
public sealed class ParserProperties
{
    private static readonly string[] Pieces =
    [
        "1", "2u", "1.5", "'a'", "b'x'", "true", "null", "x", "self", "in", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "!", "-", "+", "*", "/", "%", "==", "!=",
        "<", ">=", "&&", "||", "has(", ".all(", ".map(", ".filter(x, ", "size(", " ", "\n", "\"", "'", "\\", "//", "@", "=", "😀", "\ud800", "0x", "e5", ".?", "[?", "r'", "'''",
    ];

    private static readonly CelEnvironment Environment = new(new Dictionary<string, CelType> { ["x"] = CelType.Dyn, ["self"] = CelType.Dyn });

    [Fact]
    public void Text_of_the_language_s_pieces_never_throws() =>
        Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[0, 30].Select(string.Concat).Sample(Compile, iter: 20_000);

    [Fact]
    public void Any_text_never_throws() => Gen.String.Sample(Compile, iter: 5_000);

    [Theory]
    [InlineData("(", 10_000)]
    [InlineData("[", 10_000)]
    [InlineData("{1:", 10_000)]
    [InlineData("a.", 10_000)]
    [InlineData("a(", 10_000)]
    [InlineData("1+", 10_000)]
    [InlineData("true?1:", 10_000)]
    [InlineData("1&&", 10_000)]
    [InlineData("[].map(x,", 10_000)]
    public void Depth_is_bounded(string piece, int times)
    {
        var compiled = Environment.Compile(string.Concat(Enumerable.Repeat(piece, times)) + "1");
        Assert.NotNull(compiled.Error);
    }

    [Fact]
    public void Long_chains_of_logic_are_fine() =>
        Assert.True(Environment.Compile(string.Join(" || ", Enumerable.Repeat("false", 5_000)) + " || true").Program!.Evaluate(_ => null).AsBool);

    private static void Compile(string text)
    {
        var compiled = Environment.Compile(text);
        Assert.True(compiled.Error is null != compiled.Program is null);
        _ = compiled.Program?.Evaluate(name => CelValues.Null, costLimit: 10_000);
    }
}

namespace Podhost.ApiServer.Registry;

/// <summary>Names as paths and generateName need them; whether a name is allowed for a kind is the validator's.</summary>
internal static class ObjectNames
{
    // The alphabet of upstream's rand.String: no vowels and nothing that is mistaken for another.
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const int SuffixLength = 5;
    private const int MaxGeneratedLength = 63;

    /// <summary>A name from a generateName prefix: at most 63 characters, five of them random.</summary>
    public static string Generate(string prefix, Random random)
    {
        var kept = prefix.Length > MaxGeneratedLength - SuffixLength ? prefix[..(MaxGeneratedLength - SuffixLength)] : prefix;
        return string.Create(kept.Length + SuffixLength, (kept, random), static (span, state) =>
        {
            state.kept.CopyTo(span);
            foreach (ref var c in span[state.kept.Length..])
            {
                c = Alphabet[state.random.Next(Alphabet.Length)];
            }
        });
    }

    /// <summary>True for what may stand as one segment of a path.</summary>
    public static bool IsPathSegment(string name) =>
        name.Length > 0 && name is not ("." or "..") && !name.Contains('/', StringComparison.Ordinal) && !name.Contains('%', StringComparison.Ordinal);
}

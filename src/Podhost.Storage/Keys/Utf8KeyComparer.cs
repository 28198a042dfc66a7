namespace Podhost.Storage.Keys;

/// <summary>Orders strings as their UTF-8 bytes are ordered; differs from UTF-16 order only around surrogates.</summary>
internal sealed class Utf8KeyComparer : IComparer<string>
{
    internal static Utf8KeyComparer Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var common = x.AsSpan().CommonPrefixLength(y.AsSpan());
        if (common == x!.Length || common == y!.Length)
        {
            return x.Length.CompareTo(y!.Length);
        }

        return Weight(x[common]).CompareTo(Weight(y[common]));
    }

    /// <summary>Surrogates stand for code points above all of the basic plane, so they sort after U+E000–U+FFFF.</summary>
    private static int Weight(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}

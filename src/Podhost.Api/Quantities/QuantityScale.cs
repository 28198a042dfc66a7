namespace Podhost.Api.Quantities;

/// <summary>What a suffix multiplies with: 10^<paramref name="Decimal"/> · 2^<paramref name="Binary"/>.</summary>
internal readonly record struct QuantityScale(QuantityFormat Format, int Decimal, int Binary)
{
    private static readonly string[] DecimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    private static readonly string[] BinarySuffixes = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

    public const int MaxDecimal = 18;
    public const int MaxBinary = 60;

    public static bool TryOfSuffix(ReadOnlySpan<char> suffix, out QuantityScale scale)
    {
        for (var i = 0; i < DecimalSuffixes.Length; i++)
        {
            if (suffix.SequenceEqual(DecimalSuffixes[i]))
            {
                scale = new QuantityScale(QuantityFormat.DecimalSI, (i - 3) * 3, 0);
                return true;
            }
        }

        for (var i = 0; i < BinarySuffixes.Length; i++)
        {
            if (suffix.SequenceEqual(BinarySuffixes[i]))
            {
                scale = new QuantityScale(QuantityFormat.BinarySI, 0, (i + 1) * 10);
                return true;
            }
        }

        scale = default;
        return false;
    }

    public static string DecimalSuffix(int exponent) => DecimalSuffixes[(exponent / 3) + 3];

    public static string BinarySuffix(int exponent) => exponent == 0 ? "" : BinarySuffixes[(exponent / 10) - 1];
}

namespace Podhost.Cel.Costs;

/// <summary>The least and the most of a size or cost; sums and products end at the largest number.</summary>
internal readonly record struct Range(ulong Min, ulong Max)
{
    public static readonly Range Unknown = new(0, ulong.MaxValue);

    public static Range Fixed(ulong value) => new(value, value);

    public Range Add(Range other) => new(Sum(Min, other.Min), Sum(Max, other.Max));

    public Range Multiply(Range other) => new(Product(Min, other.Min), Product(Max, other.Max));

    public Range Scale(double factor) => new(Scaled(Min, factor), Scaled(Max, factor));

    public Range Union(Range other) => new(Math.Min(Min, other.Min), Math.Max(Max, other.Max));

    public static ulong Sum(ulong a, ulong b) => a > ulong.MaxValue - b ? ulong.MaxValue : a + b;

    public static ulong Product(ulong a, ulong b) => b != 0 && a > ulong.MaxValue / b ? ulong.MaxValue : a * b;

    private static ulong Scaled(ulong value, double factor)
    {
        var scaled = Math.Ceiling(value * factor);
        return scaled >= 18446744073709551616.0 ? ulong.MaxValue : (ulong)scaled;
    }
}

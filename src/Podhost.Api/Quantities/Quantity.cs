using System.Numerics;

namespace Podhost.Api.Quantities;

/// <summary>An exact amount of a resource, such as <c>100m</c> CPU or <c>1Gi</c> of memory.</summary>
/// <remarks>
/// The meaning is that of k8s.io/apimachinery/pkg/api/resource: the finest unit is one billionth (finer values round away from zero),
/// and the notation of the text that was parsed is kept for printing.
/// </remarks>
public readonly struct Quantity : IEquatable<Quantity>, IComparable<Quantity>
{
    internal const int NanoDigits = 9;
    private static readonly BigInteger NanosPerUnit = BigInteger.Pow(10, NanoDigits);
    private static readonly BigInteger NanosPerMilli = BigInteger.Pow(10, 6);

    private readonly BigInteger nanos;

    internal Quantity(BigInteger nanos, QuantityFormat format) => (this.nanos, Format) = (nanos, format);

    /// <summary>Zero, printed in decimal notation.</summary>
    public static Quantity Zero => default;

    /// <summary>The notation in which it prints.</summary>
    public QuantityFormat Format { get; }

    /// <summary>-1, 0 or 1.</summary>
    public int Sign => nanos.Sign;

    /// <summary>True for zero.</summary>
    public bool IsZero => nanos.IsZero;

    /// <summary>Whole units, rounded away from zero; saturates at the ends of Int64.</summary>
    public long Value => Saturate(DivideAwayFromZero(nanos, NanosPerUnit));

    /// <summary>Thousandths, rounded away from zero; saturates at the ends of Int64.</summary>
    public long MilliValue => Saturate(DivideAwayFromZero(nanos, NanosPerMilli));

    internal BigInteger Nanos => nanos;

    /// <summary>Parses any notation.</summary>
    /// <exception cref="FormatException">The text is no quantity; the message is upstream's.</exception>
    public static Quantity Parse(string text) => QuantityParser.TryParse(text, out var quantity, out var error)
        ? quantity
        : throw new FormatException(error);

    /// <summary>Parses any notation.</summary>
    public static bool TryParse(string? text, out Quantity quantity) => QuantityParser.TryParse(text ?? "", out quantity, out _);

    /// <summary>A number of units.</summary>
    public static Quantity FromValue(long value, QuantityFormat format = QuantityFormat.DecimalSI) => new(value * NanosPerUnit, format);

    /// <summary>A number of thousandths.</summary>
    public static Quantity FromMilliValue(long value, QuantityFormat format = QuantityFormat.DecimalSI) => new(value * NanosPerMilli, format);

    /// <summary>The sum, in the notation of this one, or of <paramref name="other"/> where this one is zero.</summary>
    public Quantity Add(Quantity other) => new(nanos + other.nanos, IsZero ? other.Format : Format);

    /// <summary>The difference, in the notation of this one, or of <paramref name="other"/> where this one is zero.</summary>
    public Quantity Subtract(Quantity other) => new(nanos - other.nanos, IsZero ? other.Format : Format);

    /// <summary>The opposite amount.</summary>
    public Quantity Negate() => new(-nanos, Format);

    /// <summary>How many times <paramref name="divisor"/> fits, rounded away from zero, as downward API values are made.</summary>
    /// <exception cref="DivideByZeroException">The divisor is zero.</exception>
    public long DivideRoundingUp(Quantity divisor) => Saturate(DivideAwayFromZero(nanos, divisor.nanos));

    /// <inheritdoc/>
    public int CompareTo(Quantity other) => nanos.CompareTo(other.nanos);

    /// <summary>True for equal amounts in any notation.</summary>
    public bool Equals(Quantity other) => nanos == other.nanos;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Quantity q && Equals(q);

    /// <inheritdoc/>
    public override int GetHashCode() => nanos.GetHashCode();

    /// <summary>The canonical form: no fraction, the largest suffix that leaves a whole number.</summary>
    public override string ToString() => QuantityPrinter.Print(this);

    /// <summary>Equal amounts.</summary>
    public static bool operator ==(Quantity left, Quantity right) => left.Equals(right);

    /// <summary>Different amounts.</summary>
    public static bool operator !=(Quantity left, Quantity right) => !left.Equals(right);

    /// <summary>Less than.</summary>
    public static bool operator <(Quantity left, Quantity right) => left.CompareTo(right) < 0;

    /// <summary>Less or equal.</summary>
    public static bool operator <=(Quantity left, Quantity right) => left.CompareTo(right) <= 0;

    /// <summary>Greater than.</summary>
    public static bool operator >(Quantity left, Quantity right) => left.CompareTo(right) > 0;

    /// <summary>Greater or equal.</summary>
    public static bool operator >=(Quantity left, Quantity right) => left.CompareTo(right) >= 0;

    /// <summary><see cref="Add"/>.</summary>
    public static Quantity operator +(Quantity left, Quantity right) => left.Add(right);

    /// <summary><see cref="Subtract"/>.</summary>
    public static Quantity operator -(Quantity left, Quantity right) => left.Subtract(right);

    internal static BigInteger DivideAwayFromZero(BigInteger dividend, BigInteger divisor)
    {
        var quotient = BigInteger.DivRem(dividend, divisor, out var remainder);
        return remainder.IsZero ? quotient : quotient + (dividend.Sign * divisor.Sign);
    }

    private static long Saturate(BigInteger value) =>
        value > long.MaxValue ? long.MaxValue : value < long.MinValue ? long.MinValue : (long)value;
}

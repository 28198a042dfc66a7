using System.Globalization;
using System.Numerics;

namespace Podhost.Api.Quantities;

/// <summary>Quantity to canonical text.</summary>
internal static class QuantityPrinter
{
    private static readonly BigInteger NanosPerUnit = BigInteger.Pow(10, Quantity.NanoDigits);

    public static string Print(Quantity quantity)
    {
        if (quantity.IsZero)
        {
            return "0";
        }

        return quantity.Format switch
        {
            QuantityFormat.BinarySI => PrintBinary(quantity.Nanos),
            QuantityFormat.DecimalExponent => PrintDecimal(quantity.Nanos, exponents: true),
            _ => PrintDecimal(quantity.Nanos, exponents: false),
        };
    }

    // Small or fractional amounts have no exact binary form.
    private static string PrintBinary(BigInteger nanos)
    {
        var units = BigInteger.DivRem(nanos, NanosPerUnit, out var remainder);
        if (!remainder.IsZero || BigInteger.Abs(units) < 1024)
        {
            return PrintDecimal(nanos, exponents: false);
        }

        var exponent = 0;
        while (exponent < QuantityScale.MaxBinary && (units % 1024).IsZero)
        {
            units /= 1024;
            exponent += 10;
        }

        return units.ToString(CultureInfo.InvariantCulture) + QuantityScale.BinarySuffix(exponent);
    }

    private static string PrintDecimal(BigInteger nanos, bool exponents)
    {
        var exponent = -Quantity.NanoDigits;
        while ((exponents || exponent < QuantityScale.MaxDecimal) && (nanos % 1000).IsZero)
        {
            nanos /= 1000;
            exponent += 3;
        }

        var suffix = !exponents ? QuantityScale.DecimalSuffix(exponent)
            : exponent == 0 ? "" : "e" + exponent.ToString(CultureInfo.InvariantCulture);
        return nanos.ToString(CultureInfo.InvariantCulture) + suffix;
    }
}

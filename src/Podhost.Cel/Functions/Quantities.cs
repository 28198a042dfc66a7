using System.Numerics;
using Podhost.Api.Quantities;
using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>The quantity library.</summary>
internal static class Quantities
{
    public static void AddTo(FunctionTable t)
    {
        t.Add("quantity", "string_to_quantity", "(string) Quantity", a => Parse((string)a[0]));
        t.Add("isQuantity", "is_quantity_string", "(string) bool", a => Boxes.Of(Quantity.TryParse((string)a[0], out _)));
        t.Add("sign", "quantity_sign", "Quantity.() int", a => (long)((Quantity)a[0]).Sign);
        t.Add("isGreaterThan", "quantity_is_greater_than", "Quantity.(Quantity) bool", a => Boxes.Of((Quantity)a[0] > (Quantity)a[1]));
        t.Add("isLessThan", "quantity_is_less_than", "Quantity.(Quantity) bool", a => Boxes.Of((Quantity)a[0] < (Quantity)a[1]));
        t.Add("compareTo", "quantity_compare_to", "Quantity.(Quantity) int", a => (long)((Quantity)a[0]).CompareTo((Quantity)a[1]));
        t.Add("asApproximateFloat", "quantity_get_float", "Quantity.() double", a => (double)((Quantity)a[0]).Nanos / 1e9);
        t.Add("asInteger", "quantity_get_int", "Quantity.() int",
            a => Whole((Quantity)a[0]) is { } whole ? whole : new CelError("cannot convert value to integer"));
        t.Add("isInteger", "quantity_is_integer", "Quantity.() bool", a => Boxes.Of(Whole((Quantity)a[0]) is not null));
        t.Add("add", "quantity_add", "Quantity.(Quantity) Quantity", a => (Quantity)a[0] + (Quantity)a[1]);
        t.Add("add", "quantity_add_int", "Quantity.(int) Quantity", a => (Quantity)a[0] + Quantity.FromValue((long)a[1]));
        t.Add("sub", "quantity_sub", "Quantity.(Quantity) Quantity", a => (Quantity)a[0] - (Quantity)a[1]);
        t.Add("sub", "quantity_sub_int", "Quantity.(int) Quantity", a => (Quantity)a[0] - Quantity.FromValue((long)a[1]));
    }

    private static object Parse(string text)
    {
        try
        {
            return Quantity.Parse(text);
        }
        catch (FormatException e)
        {
            return new CelError(e.Message);
        }
    }

    private static long? Whole(Quantity quantity)
    {
        var whole = BigInteger.DivRem(quantity.Nanos, BigInteger.Pow(10, Quantity.NanoDigits), out var rest);
        return rest.IsZero && whole >= long.MinValue && whole <= long.MaxValue ? (long)whole : null;
    }
}

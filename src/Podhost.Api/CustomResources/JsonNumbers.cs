using System.Globalization;
using System.Text.Json.Nodes;

namespace Podhost.Api.CustomResources;

/// <summary>Numbers of JSON trees, whatever .NET type holds them.</summary>
internal static class JsonNumbers
{
    /// <summary>The number as a double.</summary>
    public static double ToDouble(JsonValue value) =>
        double.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>True for whole numbers, also those written with a fraction of zero.</summary>
    public static bool IsWhole(JsonValue value) =>
        long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
        || (ToDouble(value) is var n && Math.Floor(n) == n && Math.Abs(n) < 9.3e18);

    /// <summary>A number as Go's <c>%v</c> prints a float64.</summary>
    public static string Print(double number)
    {
        if (number == 0 || (Math.Abs(number) >= 1e-4 && Math.Abs(number) < 1e21))
        {
            return number.ToString("0.#################", CultureInfo.InvariantCulture);
        }

        var text = number.ToString("e16", CultureInfo.InvariantCulture);
        var at = text.IndexOf('e', StringComparison.Ordinal);
        var exponent = int.Parse(text[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return $"{text[..at].TrimEnd('0').TrimEnd('.')}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }
}

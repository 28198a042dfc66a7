using k8s.Models;

namespace Podhost.Api.Pods;

/// <summary>Arithmetic on quantities with Kubernetes' rounding: away from zero, to whole units or thousandths.</summary>
public static class Quantities
{
    private const decimal Int64Max = long.MaxValue;

    /// <summary>No amounts.</summary>
    public static IReadOnlyDictionary<string, decimal> Empty { get; } = new Dictionary<string, decimal>();

    /// <summary>The amount of a resource in a list; 0 where it is not set.</summary>
    public static decimal Get(this IDictionary<string, ResourceQuantity>? list, string name) =>
        list is not null && list.TryGetValue(name, out var q) && q is not null ? q.ToDecimal() : 0;

    /// <summary>True where the list sets the resource.</summary>
    public static bool Has(this IDictionary<string, ResourceQuantity>? list, string name) =>
        list is not null && list.TryGetValue(name, out var q) && q is not null;

    /// <summary>The amount of a resource; 0 where it is not there.</summary>
    public static decimal Get(this IReadOnlyDictionary<string, decimal> list, string name) => list.GetValueOrDefault(name);

    /// <summary>Whole units, rounded up (bytes).</summary>
    public static long Value(decimal quantity) => Saturate(decimal.Ceiling(quantity));

    /// <summary>Thousandths, rounded up (millicores).</summary>
    public static long MilliValue(decimal quantity) =>
        quantity > Int64Max / 1000 ? long.MaxValue : Saturate(decimal.Ceiling(quantity * 1000));

    /// <summary>The amounts of a list (units: cores, bytes); empty for null.</summary>
    public static Dictionary<string, decimal> ToAmounts(IDictionary<string, ResourceQuantity>? list)
    {
        var result = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var (name, quantity) in list ?? new Dictionary<string, ResourceQuantity>())
        {
            if (quantity is not null)
            {
                result[name] = quantity.ToDecimal();
            }
        }

        return result;
    }

    /// <summary>Adds amounts, resource by resource.</summary>
    public static void Add(Dictionary<string, decimal> to, IReadOnlyDictionary<string, decimal> from)
    {
        foreach (var (name, amount) in from)
        {
            to[name] = to.GetValueOrDefault(name) + amount;
        }
    }

    /// <summary>Raises amounts to those of another list, resource by resource.</summary>
    public static void Max(Dictionary<string, decimal> to, IReadOnlyDictionary<string, decimal> from)
    {
        foreach (var (name, amount) in from)
        {
            to[name] = to.TryGetValue(name, out var had) ? Math.Max(had, amount) : amount;
        }
    }

    /// <summary>Parses a quantity such as <c>2Mi</c>; null where the text is none.</summary>
    public static decimal? TryParse(string text)
    {
        try
        {
            return new ResourceQuantity(text).ToDecimal();
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private static long Saturate(decimal value) =>
        value >= Int64Max ? long.MaxValue : value <= long.MinValue ? long.MinValue : (long)value;
}

using k8s.Models;
using Podhost.Api.Quantities;

namespace Podhost.Api.Quota;

/// <summary>Arithmetic on named amounts, as quotas count them.</summary>
public static class QuotaAmounts
{
    /// <summary>Adds amounts, name by name.</summary>
    public static void Add(IDictionary<string, Quantity> to, IReadOnlyDictionary<string, Quantity> from)
    {
        foreach (var (name, amount) in from)
        {
            to[name] = to.TryGetValue(name, out var had) ? had + amount : amount;
        }
    }

    /// <summary>What <paramref name="now"/> has more than <paramref name="before"/>, name by name; negative where it has less.</summary>
    public static Dictionary<string, Quantity> Difference(IReadOnlyDictionary<string, Quantity> now, IReadOnlyDictionary<string, Quantity> before)
    {
        var result = new Dictionary<string, Quantity>(now, StringComparer.Ordinal);
        foreach (var (name, amount) in before)
        {
            result[name] = (result.TryGetValue(name, out var more) ? more : Quantity.Zero) - amount;
        }

        return result;
    }

    /// <summary><c>cpu=500m,memory=1Gi</c>, by name.</summary>
    public static string Print(IEnumerable<KeyValuePair<string, Quantity>> amounts) =>
        string.Join(",", amounts.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => $"{a.Key}={a.Value}"));

    /// <summary>The amount of a model's quantity, in its notation.</summary>
    public static Quantity Of(ResourceQuantity quantity) => Quantity.Parse(quantity.ToString());

    /// <summary>The amounts of a resource list.</summary>
    public static Dictionary<string, Quantity> Of(IDictionary<string, ResourceQuantity>? list) =>
        (list ?? new Dictionary<string, ResourceQuantity>()).ToDictionary(p => p.Key, p => Of(p.Value), StringComparer.Ordinal);
}

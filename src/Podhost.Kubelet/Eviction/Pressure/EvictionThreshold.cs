using System.Globalization;
using Podhost.Api.Quantities;

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>An amount of a signal: a quantity, or a part of its capacity.</summary>
/// <param name="Quantity">The quantity; null for a part.</param>
/// <param name="Part">0.1 for 10 %.</param>
public readonly record struct EvictionAmount(Quantity? Quantity, float Part)
{
    /// <summary>The amount for a capacity; parts are cut to whole units, as upstream does it.</summary>
    public Quantity Of(Quantity capacity) => Quantity ?? Podhost.Api.Quantities.Quantity.FromValue((long)(capacity.Value * (double)Part), QuantityFormat.BinarySI);

    /// <summary>Reads <c>100Mi</c> or <c>10%</c>. Null for 0 % and 100 %, which switch a threshold off.</summary>
    /// <exception cref="FormatException">It is neither, or negative, or beyond 100 %.</exception>
    internal static EvictionAmount? Parse(string what, string name, string text, bool zero)
    {
        if (!text.EndsWith('%'))
        {
            return !Podhost.Api.Quantities.Quantity.TryParse(text, out var quantity) ? throw new FormatException($"{what} {name}: \"{text}\" is no quantity")
                : quantity.Sign < 0 || (quantity.IsZero && !zero) ? throw new FormatException($"{what} {name} must be positive: {text}")
                : new EvictionAmount(quantity, 0);
        }

        if (!float.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent) || !float.IsFinite(percent))
        {
            throw new FormatException($"{what} {name}: \"{text}\" is no percentage");
        }

        return percent < 0 ? throw new FormatException($"eviction percentage threshold {name} must be >= 0%: {text}")
            : percent > 100 ? throw new FormatException($"eviction percentage threshold {name} must be <= 100%: {text}")
            : percent is 0 or 100 ? null
            : new EvictionAmount(null, percent / 100);
    }
}

/// <summary>When a signal is too low.</summary>
/// <param name="Signal">The signal.</param>
/// <param name="Value">Below this.</param>
/// <param name="Grace">For how long, before pods are evicted; zero for a hard threshold.</param>
/// <param name="MinimumReclaim">How much more must be there again once it was met; null for nothing.</param>
public sealed record EvictionThreshold(EvictionSignal Signal, EvictionAmount Value, TimeSpan Grace, EvictionAmount? MinimumReclaim)
{
    /// <summary>True where pods are evicted at once and without their own grace.</summary>
    public bool IsHard => Grace == TimeSpan.Zero;
}

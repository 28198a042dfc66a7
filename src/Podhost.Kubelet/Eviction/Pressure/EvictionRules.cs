using System.Collections.Immutable;
using Podhost.Api.Quantities;

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>A signal at one moment.</summary>
/// <param name="Available">What is left.</param>
/// <param name="Capacity">What there is.</param>
internal readonly record struct EvictionObservation(Quantity Available, Quantity Capacity)
{
    public static EvictionObservation Bytes(long available, long capacity) =>
        new(Quantity.FromValue(available, QuantityFormat.BinarySI), Quantity.FromValue(capacity, QuantityFormat.BinarySI));

    public static EvictionObservation Count(long available, long capacity) => new(Quantity.FromValue(available), Quantity.FromValue(capacity));
}

/// <summary>What one look leaves to the next.</summary>
internal sealed record EvictionState
{
    public static EvictionState Empty { get; } = new();

    /// <summary>Since when thresholds are met without a break.</summary>
    public ImmutableDictionary<EvictionThreshold, DateTimeOffset> MetSince { get; init; } = ImmutableDictionary<EvictionThreshold, DateTimeOffset>.Empty;

    /// <summary>When each node condition was seen last.</summary>
    public ImmutableDictionary<string, DateTimeOffset> ConditionSeen { get; init; } = ImmutableDictionary<string, DateTimeOffset>.Empty;

    /// <summary>Thresholds that are met for their grace, the most urgent first.</summary>
    public ImmutableArray<EvictionThreshold> Due { get; init; } = [];

    /// <summary>Node conditions that hold, sorted.</summary>
    public ImmutableArray<string> Conditions { get; init; } = [];
}

/// <summary>Which thresholds are met, and what follows for the node. Pure. Source: upstream's eviction manager (synchronize).</summary>
internal static class EvictionRules
{
    /// <summary>One look.</summary>
    /// <param name="state">What the look before left.</param>
    /// <param name="thresholds">The configured thresholds.</param>
    /// <param name="observations">The signals now; one that is not known meets no threshold.</param>
    /// <param name="transition">How long a condition stays.</param>
    /// <param name="now">The time of the look.</param>
    public static EvictionState Look(
        EvictionState state, IReadOnlyList<EvictionThreshold> thresholds, IReadOnlyDictionary<EvictionSignal, EvictionObservation> observations, TimeSpan transition, DateTimeOffset now)
    {
        // What was due stays so until the minimum was reclaimed too.
        var met = thresholds.Where(t => IsMet(t, observations, withReclaim: false) || (state.Due.Contains(t) && IsMet(t, observations, withReclaim: true))).ToList();
        var since = met.ToImmutableDictionary(t => t, t => state.MetSince.TryGetValue(t, out var at) ? at : now);
        var seen = state.ConditionSeen;
        foreach (var threshold in met)
        {
            seen = seen.SetItem(EvictionSignals.ConditionOf(threshold.Signal), now);
        }

        return new EvictionState
        {
            MetSince = since,
            ConditionSeen = seen,
            Due = [.. met.Where(t => now - since[t] >= t.Grace).OrderBy(t => EvictionSignals.IsMemory(t.Signal) ? 0 : 1)],
            Conditions = [.. seen.Where(c => now - c.Value < transition || met.Any(t => EvictionSignals.ConditionOf(t.Signal) == c.Key)).Select(c => c.Key).Order(StringComparer.Ordinal)],
        };
    }

    /// <summary>True where nothing is too low any more, without regard to what must be reclaimed beyond it.</summary>
    public static bool Relieved(IReadOnlyList<EvictionThreshold> thresholds, IReadOnlyDictionary<EvictionSignal, EvictionObservation> observations) =>
        thresholds.All(t => !IsMet(t, observations, withReclaim: false));

    private static bool IsMet(EvictionThreshold threshold, IReadOnlyDictionary<EvictionSignal, EvictionObservation> observations, bool withReclaim)
    {
        if (!observations.TryGetValue(threshold.Signal, out var seen))
        {
            return false;
        }

        var wanted = threshold.Value.Of(seen.Capacity);
        if (withReclaim && threshold.MinimumReclaim is { } more)
        {
            wanted += more.Of(seen.Capacity);
        }

        return seen.Available < wanted;
    }
}

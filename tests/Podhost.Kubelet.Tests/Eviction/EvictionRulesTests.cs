using Podhost.Kubelet.Eviction.Pressure;

namespace Podhost.Kubelet.Tests.Eviction;

/// <summary>When thresholds are met, due and over, and what the node's conditions are meanwhile.</summary>
public sealed class EvictionRulesTests
{
    private const long Mi = 1024 * 1024;
    private const long Gi = 1024 * Mi;
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Transition = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("memory.available", "100Mi", 100 * Mi, false)]
    [InlineData("memory.available", "100Mi", (100 * Mi) - 1, true)]
    [InlineData("memory.available", "25%", Gi, false)]
    [InlineData("memory.available", "25%", Gi - 1, true)]
    [InlineData("memory.available", "0%", 0, false)]
    [InlineData("memory.available", "100%", 0, false)]
    public void A_threshold_is_met_below_its_quantity_or_part(string signal, string value, long available, bool met) =>
        Assert.Equal(met, Look(EvictionState.Empty, Hard(signal, value), 0, available).Due.Length == 1);

    [Fact]
    public void A_soft_threshold_raises_the_condition_at_once_and_evicts_after_its_grace()
    {
        var options = new EvictionOptions { Hard = None, Soft = One("memory.available", "100Mi"), SoftGracePeriod = Seconds("memory.available", 30) };
        var state = Look(EvictionState.Empty, options, 0, Mi);
        Assert.Equal(["MemoryPressure"], state.Conditions);
        Assert.Empty(state.Due);
        Assert.Empty((state = Look(state, options, 29, Mi)).Due);
        Assert.False(Assert.Single(Look(state, options, 30, Mi).Due).IsHard);

        // A break starts the grace anew.
        state = Look(Look(state, options, 29.5, Gi), options, 30, Mi);
        Assert.Empty(Look(state, options, 59, Mi).Due);
        Assert.Single(Look(state, options, 60, Mi).Due);
    }

    [Fact]
    public void What_is_due_stays_until_the_minimum_was_reclaimed_too()
    {
        var options = Hard("memory.available", "100Mi") with { MinimumReclaim = One("memory.available", "50Mi") };
        Assert.Empty(Look(EvictionState.Empty, options, 0, 120 * Mi).Due);
        var state = Look(EvictionState.Empty, options, 0, 90 * Mi);
        Assert.Single((state = Look(state, options, 10, 149 * Mi)).Due);
        Assert.Empty(Look(state, options, 20, 150 * Mi).Due);
    }

    [Fact]
    public void A_condition_stays_for_the_transition_period_after_it_was_seen_last()
    {
        var options = Hard("memory.available", "100Mi");
        var state = Look(Look(EvictionState.Empty, options, 0, Mi), options, 100, Mi);
        Assert.Equal(["MemoryPressure"], (state = Look(state, options, 399, Gi)).Conditions);
        Assert.Empty(state.Due);
        Assert.Empty(Look(state, options, 400, Gi).Conditions);
    }

    [Fact]
    public void Memory_is_reclaimed_before_all_else_and_each_signal_has_its_condition()
    {
        var seen = new Dictionary<EvictionSignal, EvictionObservation>
        {
            [EvictionSignal.NodeFsInodesFree] = EvictionObservation.Count(1, 1000),
            [EvictionSignal.PidAvailable] = EvictionObservation.Count(1, 1000),
            [EvictionSignal.AllocatableMemoryAvailable] = EvictionObservation.Bytes(1, Gi),
        };
        var options = new EvictionOptions { Hard = new Dictionary<string, string> { ["nodefs.inodesFree"] = "5%", ["pid.available"] = "10", ["memory.available"] = "100Mi" } };
        var state = EvictionRules.Look(EvictionState.Empty, options.Thresholds(withAllocatable: true), seen, Transition, Begin);
        Assert.Equal([EvictionSignal.AllocatableMemoryAvailable, EvictionSignal.NodeFsInodesFree, EvictionSignal.PidAvailable], state.Due.Select(t => t.Signal));
        Assert.Equal(["DiskPressure", "MemoryPressure", "PIDPressure"], state.Conditions);
    }

    [Fact]
    public void The_defaults_are_upstreams_and_go_with_the_first_threshold_that_is_set()
    {
        Assert.Equal(
            "memory.available<100Mi nodefs.available<10% nodefs.inodesFree<5% imagefs.available<15% imagefs.inodesFree<5%", Text(new EvictionOptions()));
        Assert.Equal("memory.available<1Gi", Text(Hard("memory.available", "1Gi")));
        Assert.Equal(
            "memory.available<1Gi nodefs.available<10% nodefs.inodesFree<5% imagefs.available<15% imagefs.inodesFree<5%",
            Text(Hard("memory.available", "1Gi") with { MergeDefaults = true }));
        Assert.Equal("", Text(Hard("memory.available", "0%")));
    }

    [Theory]
    [InlineData("containerfs.available", "1Gi", "unsupported eviction signal containerfs.available")]
    [InlineData("memory.available", "-1Mi", "eviction threshold memory.available must be positive: -1Mi")]
    [InlineData("memory.available", "0", "eviction threshold memory.available must be positive: 0")]
    [InlineData("memory.available", "many", "eviction threshold memory.available: \"many\" is no quantity")]
    [InlineData("memory.available", "-1%", "eviction percentage threshold memory.available must be >= 0%: -1%")]
    [InlineData("memory.available", "101%", "eviction percentage threshold memory.available must be <= 100%: 101%")]
    public void What_is_not_valid_is_refused_by_name(string signal, string value, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => Hard(signal, value).Thresholds()).Message);

    [Fact]
    public void A_soft_threshold_needs_its_grace() => Assert.Equal(
        "grace period must be specified for the soft eviction threshold memory.available",
        Assert.Throws<FormatException>(() => new EvictionOptions { Soft = One("memory.available", "1Gi") }.Thresholds()).Message);

    private static readonly Dictionary<string, string> None = [];

    private static EvictionOptions Hard(string signal, string value) => new() { Hard = One(signal, value) };

    private static Dictionary<string, string> One(string name, string value) => new() { [name] = value };

    private static Dictionary<string, TimeSpan> Seconds(string name, int seconds) => new() { [name] = TimeSpan.FromSeconds(seconds) };

    private static EvictionState Look(EvictionState state, EvictionOptions options, double seconds, long available) => EvictionRules.Look(
        state, options.Thresholds(), new Dictionary<EvictionSignal, EvictionObservation> { [EvictionSignal.MemoryAvailable] = EvictionObservation.Bytes(available, 4 * Gi) },
        Transition, Begin + TimeSpan.FromSeconds(seconds));

    private static string Text(EvictionOptions options) => string.Join(' ', options.Thresholds().Select(t =>
        $"{EvictionSignals.NameOf(t.Signal)}<{(t.Value.Quantity is { } q ? q.ToString() : $"{Math.Round(t.Value.Part * 100)}%")}"));
}

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>When the node evicts pods because it runs short; the fields of KubeletConfiguration with these names.</summary>
public sealed record EvictionOptions
{
    /// <summary>evictionHard where the configuration has none.</summary>
    public static IReadOnlyDictionary<string, string> DefaultHard { get; } = new Dictionary<string, string>
    {
        ["memory.available"] = "100Mi",
        ["nodefs.available"] = "10%",
        ["nodefs.inodesFree"] = "5%",
        ["imagefs.available"] = "15%",
        ["imagefs.inodesFree"] = "5%",
    };

    /// <summary>evictionHard: signals and quantities or percentages. What is set replaces all defaults (unless <see cref="MergeDefaults"/>).</summary>
    public IReadOnlyDictionary<string, string> Hard { get; init; } = DefaultHard;

    /// <summary>mergeDefaultEvictionSettings: signals that evictionHard leaves out have their default.</summary>
    public bool MergeDefaults { get; init; }

    /// <summary>evictionSoft.</summary>
    public IReadOnlyDictionary<string, string> Soft { get; init; } = new Dictionary<string, string>();

    /// <summary>evictionSoftGracePeriod: how long a soft threshold must be met.</summary>
    public IReadOnlyDictionary<string, TimeSpan> SoftGracePeriod { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>evictionMinimumReclaim.</summary>
    public IReadOnlyDictionary<string, string> MinimumReclaim { get; init; } = new Dictionary<string, string>();

    /// <summary>evictionMaxPodGracePeriod: most of its own grace that a pod has when a soft threshold is met.</summary>
    public TimeSpan MaxPodGracePeriod { get; init; }

    /// <summary>evictionPressureTransitionPeriod: how long a condition stays after its threshold was met last.</summary>
    public TimeSpan PressureTransitionPeriod { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The thresholds in force, hard ones first, in the order of the configuration.</summary>
    /// <param name="withAllocatable">Pods are held to the node's allocatable memory together: its signal has the hard threshold of memory.available.</param>
    /// <exception cref="FormatException">A signal or an amount is not valid; the message is the API's.</exception>
    public IReadOnlyList<EvictionThreshold> Thresholds(bool withAllocatable = false)
    {
        var reclaim = MinimumReclaim.ToDictionary(
            m => EvictionSignals.Parse(m.Key), m => EvictionAmount.Parse("eviction minimum reclaim", m.Key, m.Value, zero: true));
        var result = new List<EvictionThreshold>();
        foreach (var (name, text) in EffectiveHard())
        {
            Add(name, text, TimeSpan.Zero);
        }

        if (withAllocatable && result.FirstOrDefault(t => t.Signal == EvictionSignal.MemoryAvailable) is { } memory)
        {
            result.Add(memory with { Signal = EvictionSignal.AllocatableMemoryAvailable });
        }

        foreach (var name in SoftGracePeriod.Keys)
        {
            _ = EvictionSignals.Parse(name);
        }

        foreach (var (name, text) in Soft)
        {
            Add(name, text, SoftGracePeriod.TryGetValue(name, out var grace)
                ? grace : throw new FormatException($"grace period must be specified for the soft eviction threshold {name}"));
        }

        return result;

        void Add(string name, string text, TimeSpan grace)
        {
            var signal = EvictionSignals.Parse(name);
            if (EvictionAmount.Parse("eviction threshold", name, text, zero: false) is { } amount)
            {
                result.Add(new EvictionThreshold(signal, amount, grace, reclaim.GetValueOrDefault(signal)));
            }
        }
    }

    private IEnumerable<KeyValuePair<string, string>> EffectiveHard() =>
        MergeDefaults ? Hard.Concat(DefaultHard.Where(d => !Hard.ContainsKey(d.Key))) : Hard;
}

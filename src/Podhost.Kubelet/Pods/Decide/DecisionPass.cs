using k8s.Models;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>The working sheet of one decision: the view, and what the rules have written so far. It never leaves <see cref="PodDecider"/>.</summary>
internal sealed class DecisionPass
{
    private readonly List<PodEffect> effects = [];
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private readonly List<PodEvent> events = [];

    public DecisionPass(PodView view)
    {
        View = view;
        Memory = view.Memory;
        Specs = ContainerSpec.Of(view.Pod);
    }

    public PodView View { get; }

    public V1Pod Pod => View.Pod;

    public DateTimeOffset Now => View.Now;

    /// <summary>The generation of the spec whose resources the pod has.</summary>
    public long AllocatedGeneration => View.Allocation?.Generation ?? Pod.Metadata?.Generation ?? 0;

    public PodMemory Memory { get; set; }

    /// <summary>The runtime's view; only rules that run after it was first observed may ask.</summary>
    public RuntimeView Runtime => View.Runtime!;

    /// <summary>All containers of the spec, inits first, in order.</summary>
    public IReadOnlyList<ContainerSpec> Specs { get; }

    /// <summary>Containers whose start this decision looked at: what their volumes wait for is shown with them.</summary>
    public HashSet<string> Starting { get; } = new(StringComparer.Ordinal);

    public IReadOnlyList<PodEffect> Effects => effects;

    public IReadOnlyList<PodEvent> Events => events;

    public DateTimeOffset? WakeAt { get; private set; }

    /// <summary>Wants an effect. Returns true where it is not in flight yet, that is, where it begins with this decision.</summary>
    public bool Want(PodEffect effect)
    {
        if (!keys.Add(effect.Key))
        {
            return false;
        }

        effects.Add(effect);
        return !View.InFlight.Contains(effect);
    }

    /// <summary>Wants an effect unless an earlier failure of it says to wait; then the pod wakes in time.</summary>
    public bool WantWithRetry(PodEffect effect)
    {
        if (Memory.Retries.TryGetValue(effect.Key, out var retry) && retry.NotBefore > Now && !View.InFlight.Contains(effect))
        {
            Wake(retry.NotBefore);
            return false;
        }

        return Want(effect);
    }

    public void Wake(DateTimeOffset at)
    {
        if (WakeAt is null || at < WakeAt)
        {
            WakeAt = at;
        }
    }

    public void Normal(string reason, string message, ContainerSpec? about = null) =>
        events.Add(new PodEvent(false, reason, message, about?.FieldPath));

    public void Warn(string reason, string message, ContainerSpec? about = null, IReadOnlyDictionary<string, string>? annotations = null) =>
        events.Add(new PodEvent(true, reason, message, about?.FieldPath, annotations));

    /// <summary>True the first time that <paramref name="what"/> is told about <paramref name="about"/>; something else told in between makes it news again.</summary>
    public bool TellOnce(string about, string what)
    {
        if (Memory.Told.TryGetValue(about, out var last) && last == what)
        {
            return false;
        }

        Memory = Memory with { Told = Memory.Told.SetItem(about, what) };
        return true;
    }

    /// <summary>The running effect of a key, or null.</summary>
    public PodEffect? Running(string key)
    {
        foreach (var e in View.InFlight)
        {
            if (e.Key == key)
            {
                return e;
            }
        }

        return null;
    }

    public ContainerSpec? Spec(string name)
    {
        foreach (var s in Specs)
        {
            if (s.Name == name)
            {
                return s;
            }
        }

        return null;
    }

    public InstanceMemory Instance(string id) => Memory.Instance(id);

    public void Instance(string id, Func<InstanceMemory, InstanceMemory> change) =>
        Memory = Memory with { Instances = Memory.Instances.SetItem(id, change(Memory.Instance(id))) };

    /// <summary>True where an effect of this type runs.</summary>
    public bool InFlight<T>() where T : PodEffect
    {
        foreach (var e in View.InFlight)
        {
            if (e is T)
            {
                return true;
            }
        }

        return false;
    }
}

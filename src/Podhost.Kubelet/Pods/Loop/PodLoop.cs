using System.Collections.Immutable;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>What every pod loop needs.</summary>
internal sealed record PodLoopServices
{
    public required IPodRuntimeObserver Observer { get; init; }

    public required IPodEffects Effects { get; init; }

    public required IPodStatusSink Status { get; init; }

    public required IEventRecorder Events { get; init; }

    public required IProbeManager Probes { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    public required Func<PodSettings> Settings { get; init; }

    /// <summary>Sees every decision, for the directory and for tests.</summary>
    public Action<PodView, PodDecision>? Observe { get; init; }
}

/// <summary>
/// The loop of one pod: drains the mailbox, assembles the view, decides, publishes the status, starts and cancels effects, sets one timer.
/// It owns all its state; the only way in is the mailbox.
/// </summary>
internal sealed partial class PodLoop
{
    private readonly PodLoopServices services;
    private readonly PodMailbox mailbox = new();
    private readonly Action<string>? ended;
    private readonly RuntimeLooker looker;
    private readonly EffectRunner runner;
    private readonly ITimer timer;
    private V1Pod pod;
    private bool gone;
    private bool blocked;
    private StopRequest? stop;
    private AdmissionVerdict? admission;
    private PodAllocation? allocation;
    private V1Pod applied;
    private RuntimeLook? runtime;
    private PodMemory memory = PodMemory.Empty;
    private ImmutableDictionary<ProbeKey, ProbeView> probes = ImmutableDictionary<ProbeKey, ProbeView>.Empty;
    private volatile PodSnapshot snapshot;

    /// <summary>A loop.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <param name="blocked">True while another pod of its name is there.</param>
    /// <param name="services">What it works with.</param>
    /// <param name="ended">Told the UID when nothing of the pod is alive, before anybody else can know. May be told again.</param>
    public PodLoop(V1Pod pod, PodOrigin origin, bool blocked, PodLoopServices services, Action<string>? ended = null)
    {
        this.ended = ended;
        this.pod = pod;
        applied = pod;
        this.blocked = blocked;
        this.services = services;
        Origin = origin;
        Uid = pod.Metadata.Uid;
        FullName = $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";
        snapshot = new PodSnapshot(pod, null, Stage.Waiting);
        looker = new RuntimeLooker(Uid, mailbox, services);
        runner = new EffectRunner(Uid, mailbox, services);
        timer = services.Time.CreateTimer(_ => mailbox.Post(_ => { }), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string Uid { get; }

    public string FullName { get; }

    public PodOrigin Origin { get; }

    /// <summary>The pod with its last status and what the runtime has of it; for readers of other threads.</summary>
    public PodSnapshot Snapshot => snapshot;

    public void Post(Action<Mail> write) => mailbox.Post(write);

    /// <summary>Runs until nothing of the pod is left, or until cancelled: then everything stays as it is and can be adopted.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            looker.Look(cancellationToken);
            while (memory.Stage != Stage.Finished)
            {
                await mailbox.WaitAsync(cancellationToken).ConfigureAwait(false);
                Pass(mailbox.Drain(), cancellationToken);
            }
        }
        finally
        {
            await timer.DisposeAsync().ConfigureAwait(false);
            services.Probes.Remove(Uid);
            await runner.DrainAsync().ConfigureAwait(false);
        }

        // The object's end too lets the scheduler give the place to the next pod: the node must have it free by then.
        ended?.Invoke(Uid);
        services.Status.Finish(pod, Origin, memory.Status!);
    }

    private void Pass(Mail mail, CancellationToken cancellationToken)
    {
        Take(mail);
        if (mail.Look)
        {
            looker.Look(cancellationToken);
        }

        var view = View(mail);
        var decision = PodDecider.Decide(view);
        services.Observe?.Invoke(view, decision);
        if (PodInvariants.Breaches(view, decision) is { Count: > 0 } breaches)
        {
            // A defect of the rules. Acting on it could hurt the pod; what runs stays as it is until something else happens.
            LogBreach(services.Logger, FullName, string.Join("; ", breaches));
            return;
        }

        memory = decision.Memory;
        Publish(decision);
        runner.Reconcile(decision.Effects, Context(view), cancellationToken);
        Arm(decision.WakeAt);
    }

    private void Take(Mail mail)
    {
        if (mail.Allocation is { } given && (allocation is null || given.Sequence > allocation.Sequence))
        {
            allocation = given;
        }

        if (mail.Pod is not null || mail.Allocation is not null)
        {
            pod = mail.Pod ?? pod;
            applied = allocation?.Apply(pod) ?? pod;
        }

        gone |= mail.Gone;
        stop = mail.Stop ?? stop;
        blocked = mail.Blocked ?? blocked;
        admission = mail.Admission ?? admission;
        if (mail.Runtime is { } look && (runtime is null || look.Sequence > runtime.Sequence))
        {
            runtime = look;
        }

        foreach (var (key, probe) in mail.Probes)
        {
            probes = probes.SetItem(key, probe);
        }

        foreach (var key in probes.Keys)
        {
            if (runtime is { } seen && !seen.View.Containers.Any(c => c.Id == key.ContainerId))
            {
                probes = probes.Remove(key);
            }
        }

        foreach (var outcome in mail.Outcomes)
        {
            runner.Ended(outcome.Effect);
        }
    }

    private PodView View(Mail mail) => new()
    {
        Pod = applied,
        Wanted = pod,
        Allocation = allocation,
        Origin = Origin,
        Gone = gone,
        Stop = stop,
        Blocked = blocked,
        Runtime = runtime?.View,
        Probes = probes,
        Admission = admission,
        InFlight = runner.InFlight,
        Outcomes = [.. mail.Outcomes],
        ReferencesChanged = mail.ReferencesChanged,
        Memory = memory,
        Settings = services.Settings(),
        Now = services.Time.GetUtcNow(),
    };

    private void Publish(PodDecision decision)
    {
        snapshot = new PodSnapshot(WithStatus(decision.Status), runtime?.View, memory.Stage);
        if (decision.Status.Phase is "Succeeded" or "Failed")
        {
            // Nothing of it is alive: the scheduler gives its place away as soon as it reads this.
            ended?.Invoke(Uid);
        }

        services.Status.Publish(pod, Origin, decision.Status);
        foreach (var e in decision.Events)
        {
            services.Events.Record(PodReference.Of(pod, e.FieldPath), e.Warning ? "Warning" : "Normal", e.Reason, e.Message, e.Annotations);
        }

        services.Probes.Sync(Uid, decision.ProbeTargets);
    }

    private V1Pod WithStatus(V1PodStatus status) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = pod.Metadata,
        Spec = pod.Spec,
        Status = status,
    };

    private static EffectContext Context(PodView view)
    {
        var sandbox = view.Runtime is { Sandboxes: [var newest, ..] } ? newest : null;
        IReadOnlyList<string> ips = view.Pod.Spec?.HostNetwork == true ? view.Settings.HostIPs : PodAddresses.Order(sandbox?.IPs ?? [], view.Settings.HostIPs);
        return new EffectContext(view.Pod, ips, sandbox?.Attempt ?? 0);
    }

    private void Arm(DateTimeOffset? wakeAt)
    {
        if (wakeAt is not { } at)
        {
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        // A timer that fires a hair early would only decide the same again.
        var wait = at - services.Time.GetUtcNow() + TimeSpan.FromMilliseconds(1);
        timer.Change(wait > TimeSpan.Zero ? Min(wait, TimeSpan.FromDays(1)) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    [LoggerMessage(1, LogLevel.Critical, "Decision about pod {Pod} breaks an invariant, nothing is done: {Breaches}")]
    private static partial void LogBreach(ILogger logger, string pod, string breaches);
}

/// <summary>A pod at one moment, for readers of other threads.</summary>
/// <param name="Pod">The pod with the status last decided.</param>
/// <param name="Runtime">What the runtime had of it.</param>
/// <param name="Stage">Where it was.</param>
internal sealed record PodSnapshot(V1Pod Pod, RuntimeView? Runtime, Stage Stage);

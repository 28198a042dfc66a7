using System.Collections.Immutable;
using k8s.Models;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Tests.Pods;

/// <summary>
/// A node with one pod, one thread and its own time: every step decides once and then lets one thing happen, chosen by a seeded random
/// source. It stands in for the loop, the effects and the runtime, and asserts the invariants after each decision.
/// </summary>
internal sealed class SimulatedWorld(Random random, V1Pod pod)
{
    private readonly List<PodEffect> inFlight = [];
    private readonly List<SandboxView> sandboxes = [];
    private readonly List<ContainerView> containers = [];
    private readonly List<EffectOutcome> outcomes = [];
    private readonly Dictionary<ProbeKey, ProbeView> probes = [];
    private readonly List<string> trace = [];
    private RuntimeView? seen;
    private PodMemory memory = PodMemory.Empty;
    private int ids;

    public V1Pod Pod { get; set; } = pod;

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Chance of a fault in a step, of 100.</summary>
    public int Faults { get; set; } = 25;

    public bool Gone { get; set; }

    public Stage Stage => memory.Stage;

    public PodDecision? Last { get; private set; }

    public IReadOnlyList<ContainerView> Containers => containers;

    public IReadOnlyList<SandboxView> Sandboxes => sandboxes;

    public bool IsQuiet => inFlight.Count == 0 && outcomes.Count == 0;

    public string Trace => string.Join('\n', trace.TakeLast(25));

    /// <summary>How an app container ends when the world lets it end.</summary>
    public Func<string, int> ExitCodeOf { get; set; } = _ => 0;

    /// <summary>Whether a container may end by itself now.</summary>
    public Func<string, bool> MayExit { get; set; } = _ => true;

    /// <summary>Eviction.</summary>
    public StopRequest? Stop { get; set; }

    /// <summary>Begins in the middle.</summary>
    public void Begin(Beginning begin)
    {
        Now = Beginnings.Now;
        sandboxes.AddRange(begin.Sandboxes);
        containers.AddRange(begin.Containers);
        memory = begin.Memory;
        var grace = TimeSpan.FromSeconds(begin.Grace);
        switch (begin.Ending)
        {
            case Ending.Deleted:
                Pod = Pod.Deleted(begin.Grace, Now);
                break;
            case Ending.Gone:
                Gone = true;
                break;
            case Ending.Evicted:
                Stop = new StopRequest(StopCause.Evicted, grace, "Evicted", "full");
                break;
            case Ending.Deadline:
                Pod.Spec.ActiveDeadlineSeconds = begin.Grace + 1;
                break;
        }
    }

    public void Decide()
    {
        seen ??= Look();
        var view = new PodView
        {
            Pod = Pod,
            Origin = PodOrigin.Api,
            Gone = Gone,
            Stop = Stop,
            Runtime = seen,
            Probes = probes.ToImmutableDictionary(),
            Admission = AdmissionVerdict.Ok,
            InFlight = [.. inFlight],
            Outcomes = [.. outcomes],
            Memory = memory,
            Settings = new PodSettings { NodeName = "n", HostIPs = ["192.0.2.1"] },
            Now = Now,
        };
        outcomes.Clear();
        var before = memory.Stage;
        var decision = PodDecider.Decide(view);
        var breaches = PodInvariants.Breaches(view, decision);
        trace.Add($"{Now:mm:ss.f} {before}->{decision.Memory.Stage} phase={decision.Status.Phase} wants=[{string.Join(", ", decision.Effects.Select(e => e.Key))}] sandboxes=[{string.Join(", ", sandboxes.Select(s => $"{s.Id}:{s.Ready}"))}] containers=[{string.Join(", ", containers.Select(c => $"{c.Id}:{c.Name}:{c.State}:{c.ExitCode}"))}]");
        Assert.True(breaches.Count == 0, $"{string.Join("; ", breaches)}\n{Trace}");
        memory = decision.Memory;
        Last = decision;

        // What is not wanted any more is cancelled; what is wanted begins.
        foreach (var stale in inFlight.Where(e => e.Cancellable && !decision.Effects.Contains(e)).ToList())
        {
            End(stale, new EffectFailure(FailureKind.Cancelled, "Cancelled", ""));
        }

        foreach (var effect in decision.Effects)
        {
            if (inFlight.All(e => e.Key != effect.Key))
            {
                inFlight.Add(effect);
            }
        }
    }

    /// <summary>Lets one thing happen.</summary>
    public void Step()
    {
        Decide();
        if (memory.Stage == Stage.Finished)
        {
            return;
        }

        var fault = random.Next(100) < Faults;
        if (fault)
        {
            Fault();
        }
        else if (inFlight.Count > 0)
        {
            Finish(inFlight[random.Next(inFlight.Count)]);
        }
        else if (containers.Where(c => c.State == RunState.Running && MayExit(c.Name)).ToList() is { Count: > 0 } running && random.Next(4) == 0)
        {
            Exit(running[random.Next(running.Count)], null);
            seen = Look();
        }
        else
        {
            Wait();
        }
    }

    /// <summary>Moves time to when the decision asked to be woken.</summary>
    public void Wait()
    {
        var to = Last?.WakeAt is { } at && at > Now ? at : Now.AddSeconds(1);
        Now = to;

        // The slow listing finds what no event told.
        seen = Look();
    }

    /// <summary>A new kubelet: memory, probe results and effects in flight are gone, each effect done or not.</summary>
    public void Restart()
    {
        foreach (var effect in inFlight.ToList())
        {
            if (random.Next(2) == 0)
            {
                Carry(effect);
            }
        }

        trace.Add("-- restart");
        inFlight.Clear();
        outcomes.Clear();
        probes.Clear();
        Pod = new V1Pod { ApiVersion = "v1", Kind = "Pod", Metadata = Pod.Metadata, Spec = Pod.Spec, Status = Last?.Status ?? Pod.Status };
        memory = PodMemory.Empty;
        seen = null;
    }

    public void KillSandbox()
    {
        for (var i = 0; i < sandboxes.Count; i++)
        {
            sandboxes[i] = sandboxes[i] with { Ready = false };
        }
    }

    private void Fault()
    {
        Now = Now.AddMilliseconds(random.Next(3000));
        switch (random.Next(7))
        {
            case 0 when inFlight.Count > 0:
                var failing = inFlight[random.Next(inFlight.Count)];
                if (random.Next(2) == 0)
                {
                    Carry(failing);
                }

                End(failing, new EffectFailure(random.Next(2) == 0 ? FailureKind.Transient : FailureKind.Config, "Oops", "it failed"));
                break;
            case 1:
                Restart();
                break;
            case 2:
                KillSandbox();
                break;
            case 3 when containers.Where(c => c.State == RunState.Running).ToList() is { Count: > 0 } running:
                Exit(running[random.Next(running.Count)], random.Next(2) == 0 ? 137 : null);
                break;
            case 4 when containers.Where(c => c.State == RunState.Running).ToList() is { Count: > 0 } probed:
                var kind = random.Next(2) == 0 ? ProbeKind.Liveness : ProbeKind.Startup;
                probes[new ProbeKey(probed[random.Next(probed.Count)].Id, kind)] = new ProbeView(random.Next(2) == 0 ? ProbeResult.Failure : ProbeResult.Success, "");
                break;
            case 5:
                seen = Look();
                break;
            default:
                Now = Now.AddSeconds(random.Next(20));
                break;
        }
    }

    private void Finish(PodEffect effect)
    {
        Now = Now.AddMilliseconds(random.Next(200));
        var id = Carry(effect);
        End(effect, null, id);
    }

    /// <summary>An outcome always comes with a look that began after the effect ended, as the loop promises.</summary>
    private void End(PodEffect effect, EffectFailure? failure, string? id = null)
    {
        inFlight.Remove(effect);
        outcomes.Add(new EffectOutcome(effect, Now, failure)
        {
            ContainerId = id ?? "",
            Created = effect is StartContainer && id is not null,
            Image = effect is InspectImage or PullImage && failure is null ? new ImageFact("sha256:img", 1) : null,
        });
        if (effect.ChangesRuntime)
        {
            seen = Look();
        }
    }

    private string? Carry(PodEffect effect)
    {
        switch (effect)
        {
            case CreateSandbox c:
                sandboxes.Insert(0, new SandboxView($"s{++ids}", c.Attempt, true, Now, ["10.0.0." + ids]));
                return null;
            case StopSandbox s:
                Change(sandboxes, x => x.Id == s.SandboxId, x => x with { Ready = false });
                return null;
            case RemoveSandbox s:
                sandboxes.RemoveAll(x => x.Id == s.SandboxId);
                containers.RemoveAll(x => x.SandboxId == s.SandboxId);
                return null;
            case StartContainer s:
                return Start(s);
            case StopContainer s when containers.FirstOrDefault(c => c.Id == s.ContainerId && c.IsAlive) is { } c:
                Exit(c, 143);
                return null;
            case RemoveContainer r:
                containers.RemoveAll(x => x.Id == r.ContainerId);
                return null;
            default:
                return null;
        }
    }

    private string Start(StartContainer s)
    {
        Assert.DoesNotContain(containers, c => c.Name == s.Container && c.IsAlive && c.SandboxId == s.SandboxId);
        Assert.DoesNotContain(containers, c => c.Name == s.Container && c.Attempt == s.Attempt && c.SandboxId == s.SandboxId);
        var spec = ContainerSpec.Of(Pod).First(c => c.Name == s.Container);
        var id = $"c{++ids}";
        containers.Insert(0, new ContainerView
        {
            Id = id,
            Name = s.Container,
            SandboxId = s.SandboxId,
            Attempt = s.Attempt,
            State = random.Next(100) < Faults / 4 ? RunState.Created : RunState.Running,
            CreatedAt = Now,
            StartedAt = Now,
            SpecHash = ContainerSpec.HashOf(spec.Container),
        });
        return id;
    }

    private void Exit(ContainerView c, int? code)
    {
        var exit = code ?? ExitCodeOf(c.Name);
        Change(containers, x => x.Id == c.Id, x => x with { State = RunState.Exited, ExitCode = exit, FinishedAt = Now, Reason = exit == 0 ? "Completed" : "Error" });
    }

    private RuntimeView Look() => new(Now, [.. sandboxes], [.. containers]);

    private static void Change<T>(List<T> list, Func<T, bool> which, Func<T, T> change)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (which(list[i]))
            {
                list[i] = change(list[i]);
            }
        }
    }
}

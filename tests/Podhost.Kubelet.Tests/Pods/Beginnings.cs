using System.Collections.Immutable;
using CsCheck;
using k8s.Models;
using Podhost.Kubelet.Pods.Decide;
using static Podhost.Kubelet.Tests.Pods.PodBuilder;

namespace Podhost.Kubelet.Tests.Pods;

/// <summary>Why a pod is to end.</summary>
internal enum Ending
{
    None,
    Deleted,
    Gone,
    Evicted,
    Deadline,
}

/// <summary>A pod as a kubelet may find it: the spec, what the runtime has, what an earlier decision left, a wish to stop it.</summary>
internal sealed record Beginning(
    V1Pod Pod, ImmutableArray<SandboxView> Sandboxes, ImmutableArray<ContainerView> Containers, PodMemory Memory, Ending Ending, int Grace, int Seed)
{
    public override string ToString() => $"""
        policy {Pod.Spec.RestartPolicy}, inits [{string.Join(", ", (Pod.Spec.InitContainers ?? []).Select(Describe))}], apps [{string.Join(", ", Pod.Spec.Containers.Select(Describe))}]
        sandboxes [{string.Join(", ", Sandboxes.Select(s => $"{s.Id} attempt {s.Attempt} ready {s.Ready}"))}]
        containers [{string.Join(", ", Containers.Select(c => $"{c.Id} {c.Name} attempt {c.Attempt} in {c.SandboxId} {c.State} exit {c.ExitCode}"))}]
        memory {Memory.Stage}, plan {Memory.Plan}, cgroup {Memory.CgroupReady}, volumes {Memory.VolumesMounted}, instances [{string.Join(", ", Memory.Instances.Select(i => $"{i.Key} {i.Value}"))}],
          retries [{string.Join(", ", Memory.Retries.Keys)}], failures [{string.Join(", ", Memory.StartFailures.Keys)}], stopped [{string.Join(", ", Memory.StoppedSandboxes)}]
        ending {Ending} in {Grace} s, seed {Seed}
        """;

    private static string Describe(V1Container c) => c.Name + (c.RestartPolicy is null ? "" : "*") + (c.Lifecycle?.PreStop is null ? "" : "-") + (c.Lifecycle?.PostStart is null ? "" : "+");
}

/// <summary>Makes beginnings, also such as no kubelet of ours leaves: another version's, or one that was killed anywhere.</summary>
internal static class Beginnings
{
    public static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<V1Pod> Pods = Gen.Select(
        OneOf("Always", "OnFailure", "Never"),
        Gen.Int[0, 3].Array[0, 3],
        Gen.Int[0, 3].Array[1, 3],
        Gen.Int[0, 5],
        (policy, inits, apps, asking) =>
        {
            var pod = Make(policy, [.. apps.Select((hooks, i) => Asking(Hooked(Container("app" + i), hooks), i == asking ? policy : null))]);
            pod.Metadata.Annotations = new Dictionary<string, string>();
            return inits.Length == 0 ? pod : pod.WithInits([.. inits.Select((kind, i) => kind < 2 ? Container("init" + i) : Hooked(Sidecar("side" + i), kind - 2))]);
        });

    // For each container of the spec in each sandbox: none, or one in some state.
    private static Gen<ImmutableArray<ContainerView>> Containers(V1Pod pod, ImmutableArray<SandboxView> sandboxes)
    {
        var places = ContainerSpec.Of(pod).SelectMany(spec => sandboxes, (spec, sandbox) => (Spec: spec, Sandbox: sandbox)).ToArray();
        return Gen.Select(Gen.Int[0, 6], Gen.Int[0, 1], Gen.Int[0, 400]).Array[places.Length].Select(states => Views(places, states));
    }

    private static ImmutableArray<ContainerView> Views((ContainerSpec Spec, SandboxView Sandbox)[] places, (int State, int Exit, int Age)[] states)
    {
        var views = new List<ContainerView>();
        for (var i = 0; i < places.Length; i++)
        {
            if (states[i].State > 0)
            {
                views.Add(View($"old{i}", places[i].Spec, places[i].Sandbox, states[i].State, states[i].Exit, states[i].Age));
            }
        }

        return [.. views.OrderByDescending(c => c.CreatedAt)];
    }

    private static ContainerView View(string id, ContainerSpec spec, SandboxView sandbox, int state, int exit, int age) => new()
    {
        Id = id,
        Name = spec.Name,
        Kind = spec.Kind,
        SandboxId = sandbox.Id,
        Attempt = sandbox.Attempt,
        State = state switch { 1 => RunState.Created, 2 or 3 => RunState.Running, 4 => RunState.Unknown, _ => RunState.Exited },
        CreatedAt = sandbox.CreatedAt,
        StartedAt = sandbox.CreatedAt,
        FinishedAt = state > 4 ? Now.AddSeconds(-age) : default,
        ExitCode = state > 4 ? exit : 0,
        Reason = state <= 4 ? "" : exit == 0 ? "Completed" : "Error",
        SpecHash = ContainerSpec.HashOf(spec.Container),
    };

    private static readonly Gen<ImmutableArray<SandboxView>> Sandboxes = Gen.Bool.Array[0, 2].Select(ready => (ImmutableArray<SandboxView>)
        [.. ready.Select((r, i) => new SandboxView($"box{i}", (uint)(ready.Length - 1 - i), r, Now.AddMinutes(-10 - i), ["10.0.0.1"]))]);

    private static Gen<PodMemory> Memories(V1Pod pod, ImmutableArray<SandboxView> sandboxes, ImmutableArray<ContainerView> containers) => Gen.Select(
        Gen.Int[0, 3], Gen.Bool.Array[6], Gen.Int[-5, 60], Gen.Int[0, 5].Array[containers.Length],
        (kind, flags, seconds, instances) => kind == 0 ? PodMemory.Empty : new PodMemory
        {
            Stage = kind == 3 ? Stage.Stopping : Stage.Active,
            Plan = kind == 3 ? new StopPlan(flags[5] ? StopCause.Evicted : StopCause.Deleted, Now.AddSeconds(-5), Now.AddSeconds(seconds), TimeSpan.FromSeconds(seconds + 5)) : null,
            Terminal = kind == 3 && flags[5] ? new TerminalFact("Failed", "Evicted", "full") : null,
            StartTime = Now.AddMinutes(-11),
            CgroupReady = flags[0],
            CgroupGeneration = flags[1] ? 1 : 0,
            VolumesMounted = flags[2],
            StoppedSandboxes = flags[3] ? [.. sandboxes.Where(s => !s.Ready).Select(s => s.Id)] : [],
            Retries = flags[4] ? Wait(seconds) : ImmutableDictionary<string, Retry>.Empty,
            StartFailures = flags[5] ? Failures(pod, seconds) : ImmutableDictionary<string, StartFailure>.Empty,
            Instances = containers.Zip(instances).ToImmutableDictionary(p => p.First.Id, p => Instance(p.Second, seconds)),
        });

    private static ImmutableDictionary<string, Retry> Wait(int seconds) => ((string[])["cgroup", "volumes", "sandbox"]).ToImmutableDictionary(
        key => key, _ => new Retry(3, Now.AddSeconds(seconds), new EffectFailure(FailureKind.Transient, "Oops", "it failed")));

    private static ImmutableDictionary<string, StartFailure> Failures(V1Pod pod, int seconds) => pod.Spec.Containers.ToImmutableDictionary(
        c => c.Name, _ => new StartFailure("RunContainerError", "it failed", 2, Now.AddSeconds(seconds), Config: false));

    private static InstanceMemory Instance(int kind, int seconds) => new()
    {
        StartedHere = kind % 2 == 1,
        PostStart = kind == 1 ? HookState.Pending : HookState.Succeeded,
        Kill = kind is 2 or 3 ? new KillPlan(Now.AddSeconds(-5), Now.AddSeconds(seconds), kind == 3 ? Now.AddSeconds(-1) : null) : null,
        PreStop = kind == 3 ? HookState.Succeeded : HookState.Pending,
        PreStopEndedAt = kind == 3 ? Now.AddSeconds(-2) : default,
    };

    private static V1Container Hooked(V1Container c, int hooks)
    {
        var sleep = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 1 } };
        c.Lifecycle = hooks == 0 ? null : new V1Lifecycle { PreStop = (hooks & 1) == 0 ? null : sleep, PostStart = (hooks & 2) == 0 ? null : sleep };
        return c;
    }

    // With a policy: a container whose failure restarts all of them.
    private static V1Container Asking(V1Container c, string? policy)
    {
        if (policy is not null)
        {
            c.RestartPolicy = policy;
            c.RestartPolicyRules = [new V1ContainerRestartRule { Action = "RestartAllContainers", ExitCodes = new V1ContainerRestartRuleOnExitCodes { OperatorProperty = "In", Values = [1] } }];
        }

        return c;
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    public static readonly Gen<Beginning> All =
        from pod in Pods
        from sandboxes in Sandboxes
        from containers in Containers(pod, sandboxes)
        from memory in Memories(pod, sandboxes, containers)
        from ending in OneOf(Ending.None, Ending.None, Ending.Deleted, Ending.Gone, Ending.Evicted, Ending.Deadline)
        from grace in Gen.Int[0, 40]
        from seed in Gen.Int[0, 1_000_000]
        select new Beginning(pod, sandboxes, containers, memory, ending, grace, seed);
}

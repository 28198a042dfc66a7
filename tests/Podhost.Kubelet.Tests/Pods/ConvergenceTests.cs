using k8s.Models;
using Podhost.Kubelet.Pods.Decide;
using static Podhost.Kubelet.Tests.Pods.PodBuilder;

namespace Podhost.Kubelet.Tests.Pods;

/// <summary>From wherever faults leave a pod, deciding again and again brings it where it belongs, and never breaks an invariant on the way.</summary>
public sealed class ConvergenceTests
{
    private const int Seeds = 400;

    [Fact]
    public void A_pod_that_runs_on_ends_up_running_and_wants_nothing() => ForSeeds((random, seed) =>
    {
        var world = new SimulatedWorld(random, RandomPod(random, "Always")) { MayExit = name => name.StartsWith("init", StringComparison.Ordinal) };
        Disturb(world, random);
        Settle(world, seed, w => w.IsQuiet && w.Last!.Effects.IsEmpty && w.Last.WakeAt is null && w.Last.Status.Phase == "Running" && AllRun(w) && w.Sandboxes.Count(s => s.Ready) == 1);
        Assert.Equal(Stage.Active, world.Stage);
        world.Wait();
        world.Decide();
        Assert.True(world.Last!.Effects.IsEmpty, $"seed {seed}: a converged view wants {string.Join(", ", world.Last.Effects)}");
    });

    [Fact]
    public void A_deleted_pod_leaves_nothing() => ForSeeds((random, seed) =>
    {
        var world = new SimulatedWorld(random, RandomPod(random, Policy(random))) { ExitCodeOf = _ => random.Next(2) };
        Disturb(world, random);
        world.Pod = world.Pod.Deleted(random.Next(0, 40), world.Now);
        Disturb(world, random);
        Settle(world, seed, w => w.Stage == Stage.Finished);
        Assert.Empty(world.Containers);
        Assert.Empty(world.Sandboxes);
    });

    [Fact]
    public void A_pod_that_ends_by_itself_says_how() => ForSeeds((random, seed) =>
    {
        var code = random.Next(2);
        var pod = RandomPod(random, "Never");
        var world = new SimulatedWorld(random, pod) { ExitCodeOf = name => name.StartsWith("app", StringComparison.Ordinal) ? code : 0, Faults = 0 };
        Settle(world, seed, w => w.Last!.Status.Phase is "Succeeded" or "Failed" && w.IsQuiet && w.Last.Effects.IsEmpty, faultless: false);
        Assert.Equal(code == 0 ? "Succeeded" : "Failed", world.Last!.Status.Phase);
        Assert.All(world.Last.Status.ContainerStatuses, s => Assert.NotNull(s.State.Terminated));
    });

    [Fact]
    public void A_removed_pod_is_cleaned_although_nobody_deleted_it_properly() => ForSeeds((random, seed) =>
    {
        var world = new SimulatedWorld(random, RandomPod(random, Policy(random)));
        Disturb(world, random);
        world.Gone = true;
        Settle(world, seed, w => w.Stage == Stage.Finished);
        Assert.Empty(world.Containers);
    });

    private static void Disturb(SimulatedWorld world, Random random)
    {
        for (var i = random.Next(120); i > 0; i--)
        {
            world.Step();
        }
    }

    private static void Settle(SimulatedWorld world, int seed, Func<SimulatedWorld, bool> done, bool faultless = true)
    {
        world.Faults = faultless ? 0 : world.Faults;
        for (var i = 0; i < 3000; i++)
        {
            world.Step();
            if (done(world))
            {
                return;
            }
        }

        Assert.Fail($"seed {seed} did not converge:\n{world.Trace}");
    }

    private static bool AllRun(SimulatedWorld world) =>
        ContainerSpec.Of(world.Pod).Where(s => s.Kind == Podhost.Kubelet.Containers.ContainerKind.Main || s.IsSidecar)
            .All(s => world.Containers.Any(c => c.Name == s.Name && c.State == RunState.Running));

    private static string Policy(Random random) => random.Next(3) switch { 0 => "Always", 1 => "OnFailure", _ => "Never" };

    private static V1Pod RandomPod(Random random, string policy)
    {
        var pod = Make(policy, [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => Container("app" + i))]);
        var inits = Enumerable.Range(0, random.Next(0, 4)).Select(i => random.Next(2) == 0 ? Sidecar("side" + i) : Container("init" + i)).ToArray();
        foreach (var c in pod.Spec.Containers)
        {
            if (random.Next(4) == 0)
            {
                c.Lifecycle = new V1Lifecycle { PreStop = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 1 } } };
            }

            if (random.Next(4) == 0)
            {
                c.Lifecycle = new V1Lifecycle { PostStart = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 1 } } };
            }
        }

        return inits.Length == 0 ? pod : pod.WithInits(inits);
    }

    private static void ForSeeds(Action<Random, int> run)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            try
            {
                run(new Random(seed), seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }
}

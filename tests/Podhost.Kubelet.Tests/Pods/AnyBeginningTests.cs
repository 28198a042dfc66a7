using CsCheck;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Tests.Pods;

/// <summary>
/// From any view, also from such as no run of ours has left, deciding and carrying out comes to rest; at rest nothing is wanted, and a
/// kubelet that starts anew leaves it at that. On the way no stage is taken back, no grace grows, nothing starts once the pod is stopped.
/// </summary>
public sealed class AnyBeginningTests
{
    private const int MostSteps = 1500;

    [Fact]
    public void Comes_to_rest_and_stays_there_over_a_restart() => Beginnings.All.Sample(
        begin =>
        {
            var world = new SimulatedWorld(new Random(begin.Seed), begin.Pod) { Faults = 0, MayExit = IsInit };
            world.Begin(begin);
            Settle(world, new Course());
            var (running, phase) = (Living(world), world.Last!.Status.Phase);
            Assert.True(MayEndSo(begin, world.Stage), $"it rests in {world.Stage}\n{world.Trace}");

            // The status says no more than it did, and what runs is adopted.
            world.Restart();
            Settle(world, new Course());
            Assert.Equal(running, Living(world));
            Assert.True(world.Stage == Stage.Finished || world.Last!.Status.Phase == phase, $"{phase} became {world.Last!.Status.Phase}");
        },
        iter: 3000, print: begin => begin.ToString());

    // Whoever is asked to end does, and whose containers always run again does not; others end as their containers did.
    private static bool MayEndSo(Beginning begin, Stage stage) =>
        begin.Ending != Ending.None || begin.Memory.Plan is not null ? stage is Stage.Cleaning or Stage.Finished
        : begin.Pod.Spec.RestartPolicy != "Always" || stage == Stage.Active;

    private static bool IsInit(string name) => name.StartsWith("init", StringComparison.Ordinal);

    private static string Living(SimulatedWorld world) =>
        string.Join(' ', world.Containers.Where(c => c.IsAlive).Select(c => c.Id).Concat(world.Sandboxes.Where(s => s.Ready).Select(s => s.Id)).Order(StringComparer.Ordinal));

    private static void Settle(SimulatedWorld world, Course course)
    {
        for (var step = 0; step < MostSteps; step++)
        {
            world.Decide();
            course.Follow(world.Last!);
            if (world.Stage == Stage.Finished || (world.IsQuiet && world.Last!.Effects.IsEmpty && world.Last.WakeAt is null && !world.Containers.Any(c => c.IsAlive && IsInit(c.Name))))
            {
                IsAtRest(world);
                return;
            }

            world.Step();
            course.Follow(world.Last!);
        }

        Assert.Fail($"no rest after {MostSteps} steps:\n{world.Trace}");
    }

    private static void IsAtRest(SimulatedWorld world)
    {
        if (world.Stage == Stage.Finished)
        {
            Assert.Empty(world.Containers);
            Assert.Empty(world.Sandboxes);
            return;
        }

        // Later, with another look, the same.
        world.Wait();
        world.Decide();
        Assert.True(world.Last!.Effects.IsEmpty && world.Last.Events.IsEmpty && world.Last.WakeAt is null, $"at rest it wants [{string.Join(", ", world.Last.Effects)}], tells [{string.Join(", ", world.Last.Events)}]\n{world.Trace}");
    }

    /// <summary>What must hold from decision to decision.</summary>
    private sealed class Course
    {
        private PodDecision? before;

        public void Follow(PodDecision now)
        {
            if (before is not null)
            {
                Assert.True(now.Memory.Stage >= before.Memory.Stage, $"from {before.Memory.Stage} back to {now.Memory.Stage}");
                Assert.False(before.Memory.Plan is { } old && (now.Memory.Plan is not { } plan || plan.Deadline > old.Deadline), "the grace grew");
                var starts = now.Effects.Where(e => e is StartContainer or CreateSandbox && !before.Effects.Contains(e));
                Assert.True(now.Memory.Stage == Stage.Active || !starts.Any(), $"{string.Join(", ", starts)} in {now.Memory.Stage}");
                Assert.True(before.Status.Phase is not ("Succeeded" or "Failed") || now.Status.Phase == before.Status.Phase, $"{before.Status.Phase} became {now.Status.Phase}");
            }

            before = now;
        }
    }
}

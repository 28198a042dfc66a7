using k8s.Models;

namespace Podhost.Simulation.Tests;

/// <summary>
/// The kubelet is killed between any two effects of a pod's life: just before each step and just after each one, whose success then nobody
/// was told. The next kubelet goes on, and what was promised holds all the same.
/// </summary>
public sealed class CrashPointTests
{
    [Fact]
    public Task A_pod_starts_runs_and_goes() => AtEachStepAsync(Specs.Rich, minimum: 40, async world =>
    {
        world.Create();
        await InitDoneAsync(world);
        await world.CalmAsync(w => w.AllRun());
        world.Delete(30);
        await world.CalmAsync(w => w.IsGone);
        Leftovers.None(world);
    });

    [Fact]
    public Task A_container_that_ends_is_started_again_once() => AtEachStepAsync(Specs.Rich, minimum: 20, async world =>
    {
        world.Create();
        await InitDoneAsync(world);
        await world.CalmAsync(w => w.AllRun());
        world.Node.Runtime.Exit("app1", 1);
        await world.CalmAsync(w => w.AllRun() && RestartsOf(w, "app1") >= 1);
        Assert.InRange(RestartsOf(world, "app1"), 1, 1 + Unstarted(world));
    });

    [Fact]
    public Task A_lost_sandbox_is_replaced() => AtEachStepAsync(Specs.Rich, minimum: 20, async world =>
    {
        world.Create();
        await InitDoneAsync(world);
        await world.CalmAsync(w => w.AllRun());
        var before = world.Node.Runtime.Running().Select(r => r.Id).ToHashSet();
        world.Node.Runtime.KillSandboxes();
        await InitDoneAsync(world);
        await world.CalmAsync(w => w.AllRun() && !w.Node.Runtime.Running().Any(r => before.Contains(r.Id)));
    });

    [Fact]
    public Task An_exit_that_asks_for_it_restarts_all_containers_in_their_sandbox() => AtEachStepAsync(Specs.Asking, minimum: 30, async world =>
    {
        world.Create();
        await InitDoneAsync(world);
        await world.CalmAsync(w => w.AllRun());
        var before = world.Node.Runtime.Running().Select(r => r.Id).ToHashSet();
        world.Node.Runtime.Exit("app1", 42);
        await InitDoneAsync(world);
        await world.CalmAsync(w => w.AllRun() && !w.Node.Runtime.Running().Any(r => before.Contains(r.Id)));
        Assert.All(world.Status!.InitContainerStatuses.Concat(world.Status.ContainerStatuses), c => Assert.InRange(c.RestartCount, 1, 1 + Unstarted(world)));
        Assert.Equal("False", world.Status.Conditions.Single(c => c.Type == "AllContainersRestarting").Status);
    });

    [Theory]
    [InlineData("Never", 0, "Succeeded")]
    [InlineData("Never", 3, "Failed")]
    [InlineData("OnFailure", 0, "Succeeded")]
    public Task A_task_ends_and_stays(string restartPolicy, int code, string phase) => AtEachStepAsync(() => Specs.Task(restartPolicy), minimum: 10, async world =>
    {
        world.Create();
        await InitDoneAsync(world);
        await world.CalmAsync(w => w.AllRun());
        world.Node.Runtime.Exit("app0", code);
        await world.CalmAsync(w => w.Status?.Phase == phase);
        Assert.Equal(code, world.Status!.ContainerStatuses.Single().State.Terminated.ExitCode);
        Assert.InRange(RestartsOf(world, "app0"), 0, Unstarted(world));
    });

    private static async Task InitDoneAsync(World world)
    {
        await world.CalmAsync(w => w.Node.Runtime.Running().Any(r => r.Name == "init"));
        world.Node.Runtime.Exit("init", 0);
    }

    /// <summary>
    /// A container that was created and not started is given up for a new attempt, which counts, as upstream has it (ShouldContainerBeRestarted
    /// of a container in the created state). A started one must be found.
    /// </summary>
    private static int Unstarted(World world) => world.Crashes.Any(c => c is "after CreateContainer" or "before StartContainer") ? 1 : 0;

    private static int RestartsOf(World world, string name) => world.Status!.ContainerStatuses.Single(c => c.Name == name).RestartCount;

    private static async Task AtEachStepAsync(Func<V1PodSpec> spec, int minimum, Func<World, Task> live)
    {
        var step = 0;
        for (var crashed = true; crashed; step++)
        {
            var world = new World(new Random(1), spec());
            world.Steps.Arm(step);
            try
            {
                await live(world);
                Leftovers.NoBreach(world);
                crashed = world.Crashes.Count > 0;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"step {step} ({string.Join(",", world.Crashes)}): {e.Message}", e);
            }
            finally
            {
                await world.Node.CrashAsync();
            }
        }

        Assert.True(step >= minimum, $"only {step} steps were seen");
    }
}

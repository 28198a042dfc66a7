namespace Podhost.Simulation.Tests;

/// <summary>
/// Real loops through seeded storms: failing and slow calls, lost and doubled events, exits, lost sandboxes, crashes of the kubelet. Then
/// calm, and all is well. PODHOST_SEEDS runs more of them; a failure names its seed.
/// </summary>
public sealed class LoopSimulationTests
{
    private static readonly int Seeds = int.TryParse(Environment.GetEnvironmentVariable("PODHOST_SEEDS"), out var n) ? n : 1000;

    [Fact]
    public Task A_pod_runs_after_the_storm() => ForSeedsAsync(async (_, world) =>
    {
        await world.StormAsync();
        await world.CalmAsync(w => w.AllRun());
    });

    [Fact]
    public Task A_deleted_pod_leaves_nothing_after_the_storm() => ForSeedsAsync(async (random, world) =>
    {
        await world.StormAsync();
        world.Delete(random.Next(0, 40));
        await world.StormAsync();
        await world.CalmAsync(w => w.IsGone);
        Leftovers.None(world);
    });

    [Fact]
    public Task A_restarted_kubelet_adopts_what_runs() => ForSeedsAsync(async (_, world) =>
    {
        await world.CalmAsync(w => w.AllRun());
        var before = world.Node.Runtime.Running();
        await world.RestartAsync();
        await world.CalmAsync(w => w.AllRun());
        await world.Node.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(before.Order(), world.Node.Runtime.Running().Order());
    });

    private static async Task ForSeedsAsync(Func<Random, World, Task> run)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var world = new World(random, Specs.Server(random));
            world.Create();
            try
            {
                await run(random, world);
                Leftovers.NoBreach(world);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
            finally
            {
                await world.Node.CrashAsync();
            }
        }
    }
}

using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Simulation.Tests;

/// <summary>Real loops through seeded storms: failing calls, lost and doubled events, exits, lost sandboxes, crashes of the kubelet. Then calm, and all is well.</summary>
public sealed class LoopSimulationTests
{
    private const int Seeds = 150;

    [Fact]
    public Task A_pod_runs_after_the_storm() => ForSeedsAsync(async (random, world) =>
    {
        await world.StormAsync();
        await world.CalmAsync(n => n.Statuses.TryGetValue("uid-1", out var s) && s.Phase == "Running" && n.Effects == 0 && world.AllRun());
    });

    [Fact]
    public Task A_deleted_pod_leaves_nothing_after_the_storm() => ForSeedsAsync(async (random, world) =>
    {
        await world.StormAsync();
        world.Delete(random.Next(0, 40));
        await world.StormAsync();
        await world.CalmAsync(n => n.Finished.ContainsKey("uid-1"));
        Assert.Equal((0, 0), world.Node.Runtime.Counts);
        Assert.Empty(world.Node.PodsOnDisk());
        Assert.Empty(world.Node.PodsInCgroups());
    });

    [Fact]
    public Task A_restarted_kubelet_adopts_what_runs() => ForSeedsAsync(async (random, world) =>
    {
        await world.CalmAsync(n => n.Statuses.TryGetValue("uid-1", out var s) && s.Phase == "Running" && n.Effects == 0 && world.AllRun());
        var before = world.Node.Runtime.Running();
        await world.RestartAsync();
        await world.CalmAsync(n => n.Statuses.TryGetValue("uid-1", out var s) && s.Phase == "Running" && n.Effects == 0);
        await world.Node.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(before.Order(), world.Node.Runtime.Running().Order());
    });

    private static async Task ForSeedsAsync(Func<Random, World, Task> run)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var world = new World(random);
            try
            {
                await run(random, world);
                Assert.Empty(world.Node.Breaches);
                Assert.Empty(world.Node.Runtime.Complaints);
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

    private sealed class World
    {
        private readonly Random random;
        private V1Pod pod;

        public World(Random random)
        {
            this.random = random;
            var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
            Node = new SimulatedNode(time, new FakeRuntime(time, random));
            pod = new V1Pod
            {
                Metadata = new V1ObjectMeta { Name = "p", NamespaceProperty = "ns", Uid = "uid-1", Generation = 1 },
                Spec = new V1PodSpec
                {
                    RestartPolicy = "Always",
                    TerminationGracePeriodSeconds = 30,
                    InitContainers = random.Next(2) == 0 ? null : [new V1Container { Name = "side", Image = "i:1", RestartPolicy = "Always" }],
                    Containers = [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => new V1Container { Name = "app" + i, Image = "i:1" })],
                },
            };
            if (random.Next(3) == 0)
            {
                pod.Spec.Containers[0].Lifecycle = new V1Lifecycle
                {
                    PreStop = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 1 } },
                    PostStart = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 1 } },
                };
            }

            Node.Manager.Set(pod, PodOrigin.Api);
        }

        public SimulatedNode Node { get; private set; }

        public async Task StormAsync()
        {
            Node.Runtime.Faults = 30;
            for (var i = random.Next(25); i > 0; i--)
            {
                switch (random.Next(5))
                {
                    case 0:
                        Node.Runtime.Exit("app0", random.Next(2));
                        break;
                    case 1:
                        Node.Runtime.KillSandboxes();
                        break;
                    case 2:
                        await RestartAsync();
                        break;
                    default:
                        await Node.AdvanceAsync(TimeSpan.FromMilliseconds(random.Next(15000)));
                        break;
                }
            }
        }

        public async Task CalmAsync(Func<SimulatedNode, bool> done)
        {
            Node.Runtime.Faults = 0;
            for (var i = 0; i < 400; i++)
            {
                await Node.AdvanceAsync(TimeSpan.FromSeconds(2));
                if (done(Node))
                {
                    return;
                }
            }

            Node.Statuses.TryGetValue("uid-1", out var status);
            Assert.Fail($"no calm: phase {status?.Phase}, {Node.Effects} effects wanted, counts {Node.Runtime.Counts}, running {string.Join(",", Node.Runtime.Running())}, breaches {string.Join(";", Node.Breaches)}");
        }

        public bool AllRun() =>
            pod.Spec.Containers.All(c => Node.Runtime.Running().Any(r => r.Name == c.Name));

        public void Delete(long grace)
        {
            pod = new V1Pod
            {
                Metadata = new V1ObjectMeta
                {
                    Name = "p", NamespaceProperty = "ns", Uid = "uid-1", Generation = 2, DeletionGracePeriodSeconds = grace, DeletionTimestamp = Node.Time.GetUtcNow().UtcDateTime.AddSeconds(grace),
                },
                Spec = pod.Spec,
            };
            Node.Manager.Set(pod, PodOrigin.Api);
        }

        public async Task RestartAsync()
        {
            var old = Node;
            await old.CrashAsync();
            Node = new SimulatedNode(old.Time, old.Runtime, old);
            foreach (var breach in old.Breaches)
            {
                Node.Breaches.Enqueue(breach);
            }

            old.Statuses.TryGetValue("uid-1", out var status);
            pod = new V1Pod { Metadata = pod.Metadata, Spec = pod.Spec, Status = status };
            if (!old.Finished.ContainsKey("uid-1"))
            {
                Node.Manager.Set(pod, PodOrigin.Api);
            }
            else
            {
                Node.Finished["uid-1"] = true;
            }
        }
    }
}

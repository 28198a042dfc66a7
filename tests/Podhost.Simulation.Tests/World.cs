using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Simulation.Tests;

/// <summary>One pod on one node whose kubelet may crash and start anew while the runtime lives on.</summary>
internal sealed class World
{
    private const string Uid = "uid-1";
    private const int Advances = 400;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Random random;
    private V1Pod pod;

    public World(Random random, V1PodSpec spec)
    {
        this.random = random;
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Node = new SimulatedNode(time, new FakeRuntime(time, random, new Steps()));
        pod = new V1Pod { Metadata = new V1ObjectMeta { Name = "p", NamespaceProperty = "ns", Uid = Uid, Generation = 1 }, Spec = spec };
    }

    public SimulatedNode Node { get; private set; }

    public Steps Steps => Node.Runtime.Steps;

    public V1PodStatus? Status => Node.Statuses.GetValueOrDefault(Uid);

    public bool IsGone => Node.Finished.ContainsKey(Uid);

    /// <summary>The steps at which the kubelet crashed.</summary>
    public List<string> Crashes { get; } = [];

    public void Create() => Node.Manager.Set(pod, PodOrigin.Api);

    public void Delete(long grace)
    {
        pod = new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                Name = "p",
                NamespaceProperty = "ns",
                Uid = Uid,
                Generation = 2,
                DeletionGracePeriodSeconds = grace,
                DeletionTimestamp = Node.Time.GetUtcNow().UtcDateTime.AddSeconds(grace),
            },
            Spec = pod.Spec,
        };
        Node.Manager.Set(pod, PodOrigin.Api);
    }

    public bool AllRun() => Status?.Phase == "Running" && pod.Spec.Containers.All(c => Node.Runtime.Running().Any(r => r.Name == c.Name));

    /// <summary>Exits, lost sandboxes, crashes and failing calls, as the seed wills.</summary>
    public async Task StormAsync()
    {
        Node.Runtime.Faults = 30;
        for (var i = random.Next(25); i > 0; i--)
        {
            switch (random.Next(5))
            {
                case 0:
                    Node.Runtime.Exit(pod.Spec.Containers[random.Next(pod.Spec.Containers.Count)].Name, random.Next(2));
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

    /// <summary>Lets time pass, without faults, until something holds. Where an armed step is reached, the kubelet crashes there.</summary>
    public async Task CalmAsync(Func<World, bool> done)
    {
        Node.Runtime.Faults = 0;
        var start = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < Advances || TimeProvider.System.GetElapsedTime(start) < Patience; i++)
        {
            if (i >= Advances)
            {
                // Quiet may be a thread that the machine does not let run: before a failure is sure, it gets real time too.
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
            }

            await Node.AdvanceAsync(TimeSpan.FromSeconds(2));
            await CrashWhereReachedAsync();
            if (done(this) && Node.Effects == 0)
            {
                return;
            }
        }

        throw new InvalidOperationException($"no calm: phase {Status?.Phase}, {Node.Effects} effects wanted, counts {Node.Runtime.Counts}, "
            + $"running {string.Join(",", Node.Runtime.Running())}, breaches {string.Join(";", Node.Breaches)}, crashed at {string.Join(",", Crashes)}");
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

        if (old.Finished.ContainsKey(Uid))
        {
            Node.Finished[Uid] = true;
            return;
        }

        old.Statuses.TryGetValue(Uid, out var status);
        pod = new V1Pod { Metadata = pod.Metadata, Spec = pod.Spec, Status = status };
        Node.Manager.Set(pod, PodOrigin.Api);
    }

    private async Task CrashWhereReachedAsync()
    {
        if (Steps.Reached is { } step)
        {
            Crashes.Add(step);
            Steps.Disarm();
            await RestartAsync();
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Tests.Containers;

/// <summary>
/// Power is lost at random moments of a busy runtime: what is on disk then is a copy of its directory, with each file as it was at some
/// moment near. A runtime that starts on the copy knows everything that was acknowledged, takes nothing for alive, and cleans all of it.
/// </summary>
public sealed class PowerLossTests : IDisposable
{
    private const int Copies = 6;

    private readonly string directory = Directory.CreateTempSubdirectory("podhost-power-").FullName;

    public void Dispose() => Podhost.Linux.Files.FileTree.Delete(directory, CancellationToken.None);

    [Fact]
    public async Task A_runtime_on_what_the_disk_held_loses_nothing_and_keeps_nothing_alive()
    {
        var snapshots = new List<Snapshot>();
        RuntimeNode before;
        await using (before = await RuntimeNode.StartAsync())
        {
            var ledger = new Ledger();
            using var stop = new CancellationTokenSource();
            var work = Enumerable.Range(0, 2).Select(seed => LiveAsync(before, ledger, new Random(seed), stop.Token)).ToArray();
            var random = new Random(7);
            for (var i = 0; i < Copies; i++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 600)), TimeProvider.System, RuntimeNode.Cancel);
                snapshots.Add(await CopyAsync(before, ledger, Path.Combine(directory, i.ToString())));
            }

            await stop.CancelAsync();
            await Task.WhenAll(work);
        }

        Assert.Contains(snapshots, s => s.Certain.Count > 0);
        foreach (var snapshot in snapshots)
        {
            await using var after = await RuntimeNode.AfterPowerLossAsync(before, snapshot.Directory);
            await CheckAsync(after, snapshot);
        }
    }

    private static async Task CheckAsync(RuntimeNode node, Snapshot snapshot)
    {
        var sandboxes = (await node.Cri.ListPodSandboxAsync(new ListPodSandboxRequest(), RuntimeNode.Cancel)).Items;
        var containers = (await node.Cri.ListContainersAsync(new ListContainersRequest(), RuntimeNode.Cancel)).Containers;
        Assert.Equal(sandboxes.Count, sandboxes.Select(s => s.Id).Distinct().Count());
        Assert.Equal(containers.Count, containers.Select(c => c.Id).Distinct().Count());
        Assert.All(sandboxes, s => Assert.Equal(PodSandboxState.SandboxNotready, s.State));
        Assert.All(containers, c => Assert.NotEqual(ContainerState.ContainerRunning, c.State));
        Assert.All(containers, c => Assert.Contains(sandboxes, s => s.Id == c.PodSandboxId));
        Assert.Empty(snapshot.Certain.Except(sandboxes.Select(s => s.Id).Concat(containers.Select(c => c.Id))));

        // It is fit for work, and no address is given twice.
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "echo alive; sleep 100");
        Assert.Equal("alive\n", await node.ExecAsync(container, "echo alive"));
    }

    /// <summary>Starts, stops and removes pods; tells the ledger what was acknowledged.</summary>
    private static async Task LiveAsync(RuntimeNode node, Ledger ledger, Random random, CancellationToken stop)
    {
        var mine = new List<(string Sandbox, List<string> Containers)>();
        while (!stop.IsCancellationRequested)
        {
            if (mine.Count < 2 || random.Next(2) == 0)
            {
                var sandbox = await node.RunSandboxAsync();
                ledger.Add(sandbox);
                var container = await node.CreateAsync(sandbox, "exec sleep 1000");
                ledger.Add(container);
                mine.Add((sandbox, [container]));
                if (random.Next(4) > 0)
                {
                    await node.Cri.StartContainerAsync(new StartContainerRequest { ContainerId = container }, RuntimeNode.Cancel);
                }

                continue;
            }

            var (gone, containers) = mine[random.Next(mine.Count)];
            mine.RemoveAll(m => m.Sandbox == gone);
            await node.Cri.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = gone }, RuntimeNode.Cancel);
            ledger.Remove([gone, .. containers]);
            await node.Cri.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = gone }, RuntimeNode.Cancel);
        }
    }

    private static async Task<Snapshot> CopyAsync(RuntimeNode node, Ledger ledger, string target)
    {
        Directory.CreateDirectory(target);
        var early = ledger.Now();

        // Mounted root file systems are not on the disk. Files that vanish under the copy are none of its business.
        using var copy = Process.Start("cp", ["-a", "-x", node.Options.DataDirectory, Path.Combine(target, "data")]);
        await copy.WaitForExitAsync(RuntimeNode.Cancel);
        var late = ledger.Now();
        return new Snapshot(target, [.. early.Intersect(late)]);
    }

    /// <param name="Directory">Holds the copy.</param>
    /// <param name="Certain">What was acknowledged before the copy began and not asked to go before it ended.</param>
    private sealed record Snapshot(string Directory, IReadOnlyList<string> Certain);

    private sealed class Ledger
    {
        private readonly ConcurrentDictionary<string, bool> ids = new();

        public void Add(string id) => ids[id] = true;

        public void Remove(IEnumerable<string> gone)
        {
            foreach (var id in gone)
            {
                ids.TryRemove(id, out _);
            }
        }

        public IReadOnlyList<string> Now() => [.. ids.Keys];
    }
}

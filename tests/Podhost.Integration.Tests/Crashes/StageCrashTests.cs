using Podhost.Integration.Tests.Instances;
using Podhost.Tests.Shared;

namespace Podhost.Integration.Tests.Crashes;

/// <summary>
/// kill -9 of what keeps a pod (its infra process, a container's monitor, its process), at each stage of the pod's life; once while podhost
/// looks on, once while it is dead itself. Many pods on one instance: all reach their stage, then all are struck, then each keeps its promise.
/// </summary>
public sealed class StageCrashTests(ClusterFixture cluster)
{
    private static readonly (Stage Stage, Victim[] Victims)[] Table =
    [
        (Stage.Pulling, [Victim.Nobody, Victim.Infra]),
        (Stage.Creating, [Victim.Nobody, Victim.Monitor, Victim.Infra]),
        (Stage.Running, [Victim.Nobody, Victim.Process, Victim.Monitor, Victim.Infra, Victim.All]),
        (Stage.InHook, [Victim.Nobody, Victim.Process, Victim.Monitor, Victim.Infra]),
        (Stage.InGrace, [Victim.Nobody, Victim.Process, Victim.Monitor, Victim.Infra]),
    ];

    [Fact]
    public async Task A_pod_keeps_its_promises_whoever_is_killed_at_whatever_stage()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await using var registry = await RegistryProcess.StartAsync();
        await using var instance = await Instance.StartAsync();
        await ClusterFixture.LoadImagesAsync(instance);
        await RoundAsync(instance, registry, podhostDies: false);
        await RoundAsync(instance, registry, podhostDies: true);
    }

    private static async Task RoundAsync(Instance instance, RegistryProcess registry, bool podhostDies)
    {
        var round = podhostDies ? "down" : "up";
        var image = await PrivateImage.PushAsync(registry, round);
        registry.Pause();
        StagePod[] pods =
        [
            .. from row in Table
               from victim in row.Victims
               where victim != Victim.Nobody || podhostDies
               where row.Stage != Stage.Creating || !(Instance.OnContainerd || Instance.OnOwnRuntime) // another process goes on with it, or gives it up
               where !Instance.OnContainerd || victim is not (Victim.Monitor or Victim.All) // the shim is the infra container's too
               select new StagePod(instance, $"{row.Stage}-{victim}-{round}".ToLowerInvariant(), row.Stage, victim, image),
        ];
        await instance.Kubectl.ApplyAsync(string.Join("\n---\n", pods.Select(p => p.Manifest)));
        await AllAsync(pods, p => p.ReachAsync());
        if (podhostDies)
        {
            await instance.KillAsync();
        }

        foreach (var pod in pods)
        {
            pod.Strike();
        }

        if (podhostDies)
        {
            await instance.UpAsync();
        }

        registry.Resume();
        foreach (var pod in pods)
        {
            pod.Release();
        }

        await AllAsync(pods, p => p.KeepsItsPromisesAsync());
        await instance.Kubectl.OkAsync("delete pods --all --timeout=60s");
        await AllAsync(pods, p => p.LeavesNothingAsync());
    }

    // All at once, and all that failed are named.
    private static async Task AllAsync(StagePod[] pods, Func<StagePod, Task> step)
    {
        var failures = (await Task.WhenAll(pods.Select(async pod =>
        {
            try
            {
                await step(pod);
                return null;
            }
            catch (Exception failure)
            {
                return $"{pod.Name}: {failure.Message}\n{(await pod.DescribeAsync())}";
            }
        }))).OfType<string>().ToList();
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
    }
}

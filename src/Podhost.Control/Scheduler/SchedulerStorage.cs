using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Controllers.PersistentVolumes;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler;

/// <summary>What the scheduler knows and tells of claims and volumes.</summary>
/// <param name="claims">All claims.</param>
/// <param name="volumes">All volumes.</param>
/// <param name="classes">All storage classes.</param>
public sealed class SchedulerStorage(IInformer<V1PersistentVolumeClaim> claims, IInformer<V1PersistentVolume> volumes, IInformer<V1StorageClass> classes)
{
    internal Task Synced { get; } = Task.WhenAll(claims.Synced, volumes.Synced, classes.Synced);

    internal IDisposable Subscribe(Action changed) => new Subscriptions(
        [claims.Subscribe(_ => changed()), volumes.Subscribe(_ => changed()), classes.Subscribe(_ => changed())]);

    internal StorageView View() => new(
        claims.List().ToDictionary(ObjectKey.Of), volumes.List(), classes.List().ToDictionary(c => c.Metadata.Name, StringComparer.Ordinal));

    /// <summary>Tells the claims of a pod that wait for a consumer where it will be; true where none waits any more.</summary>
    internal async Task<bool> ChooseAsync(IApiClient client, PodView pod, StorageView view, string node, CancellationToken cancellationToken)
    {
        var ready = true;
        foreach (var claim in view.ClaimsOf(pod).Where(c => !StorageView.IsBound(c)))
        {
            ready = false;
            if (claim.Metadata.Annotations?.TryGetValue(BindingRules.SelectedNode, out var chosen) == true && chosen == node)
            {
                continue;
            }

            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject { ["uid"] = claim.Metadata.Uid, ["annotations"] = new JsonObject { [BindingRules.SelectedNode] = node } },
            };
            await client.PatchAsync<V1PersistentVolumeClaim>(pod.Namespace, claim.Metadata.Name, PatchKind.Merge, patch, null, cancellationToken);
        }

        return ready;
    }

    private sealed class Subscriptions(IReadOnlyList<IDisposable> all) : IDisposable
    {
        public void Dispose()
        {
            foreach (var one in all)
            {
                one.Dispose();
            }
        }
    }
}

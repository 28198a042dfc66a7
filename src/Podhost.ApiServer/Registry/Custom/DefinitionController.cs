using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Hosting;
using Podhost.ApiServer.Routes;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry.Custom;

/// <summary>
/// Keeps the conditions of definitions true, and empties those that are being deleted. A pass looks at all definitions and writes what
/// differs from what should be, so it does not matter what woke it, how often, or whether another server of the store did the same.
/// </summary>
internal sealed class DefinitionController(ApiServices services)
{
    private static readonly ResourceInfo Definitions = ResourceTable.For<V1CustomResourceDefinition>();
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(5);

    // Passes after which a definition that still waits is looked at less often.
    private const int PatientAfter = 20;
    private static readonly UserInfo Self = new("system:apiserver", [UserInfo.Masters, UserInfo.Authenticated]);
    private readonly Dictionary<string, int> _waits = new(StringComparer.Ordinal);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await services.Store.Caches.Filled.WaitAsync(cancellationToken);
        var cache = services.Store.Caches.For(Definitions);
        while (!cancellationToken.IsCancellationRequested)
        {
            using var watcher = cache.WatchFromNow(new ObjectFilter(cache.Prefix));
            await FollowAsync(cache, watcher.Items, cancellationToken);
        }
    }

    private async Task FollowAsync(ResourceCache cache, ChannelReader<WatchItem> changes, CancellationToken cancellationToken)
    {
        do
        {
            while (changes.TryRead(out _))
            {
                // A pass looks at everything that is there.
            }

            await PassAsync(cache, cancellationToken);
        }
        while (await WaitAsync(changes, cancellationToken));
    }

    // False where the watch has ended. Objects with finalizers go when their owners let them; that is looked at.
    private async Task<bool> WaitAsync(ChannelReader<WatchItem> changes, CancellationToken cancellationToken)
    {
        if (_waits.Count == 0)
        {
            return await changes.WaitToReadAsync(cancellationToken);
        }

        using var pause = new CancellationTokenSource(_waits.Values.Min() < PatientAfter ? Pause : LongPause, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(pause.Token, cancellationToken);
        try
        {
            return await changes.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return true;
        }
    }

    private async Task PassAsync(ResourceCache cache, CancellationToken cancellationToken)
    {
        var all = cache.Snapshot.Objects.Select(o => o.ToObject()).ToList();
        var names = all.Select(Meta.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _waits.Keys.Where(k => !names.Contains(k)).ToList())
        {
            _waits.Remove(gone);
        }

        foreach (var definition in all)
        {
            try
            {
                await NameAsync(definition, all, cancellationToken);
                if (Meta.IsDeleting(definition) && Meta.Finalizers(definition).Contains(DefinitionStrategy.Finalizer))
                {
                    await EmptyAsync(Meta.Name(definition), cancellationToken);
                }
            }
            catch (ApiException e) when (e.IsNotFound || e.IsConflict)
            {
                // It changed meanwhile: the change wakes us.
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                ServerLog.DefinitionFailed(services.Log, e, Meta.Name(definition));
                _waits[Meta.Name(definition)] = _waits.GetValueOrDefault(Meta.Name(definition)) + 1;
            }
        }
    }

    private async Task NameAsync(JsonObject definition, List<JsonObject> all, CancellationToken cancellationToken)
    {
        var wanted = (JsonObject)definition.DeepClone();
        NamingRules.Apply(wanted, all, services.Time.GetUtcNow());
        if (JsonNode.DeepEquals(wanted["status"], definition["status"]))
        {
            return;
        }

        await services.Updater.UpdateAsync(
            Definitions, "", Meta.Name(definition), "status", old => Renewed(old, all), Options(), cancellationToken);
        definition["status"] = wanted["status"]!.DeepClone();
    }

    private Change Renewed(JsonObject old, List<JsonObject> all)
    {
        var obj = (JsonObject)old.DeepClone();
        NamingRules.Apply(obj, all, services.Time.GetUtcNow());
        return new Change(obj);
    }

    private async Task EmptyAsync(string name, CancellationToken cancellationToken)
    {
        if (services.Store.Caches.All.FirstOrDefault(c => c.Resource.Custom?.Definition == name) is not { } cache)
        {
            return;
        }

        await ReportAsync(name, "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress", cancellationToken);
        await services.Store.TryCatchUpAsync(cancellationToken);
        foreach (var obj in cache.Snapshot.Objects.Where(o => !Meta.IsDeleting(o.ToObject())))
        {
            await DeleteAsync(cache.Resource, obj, cancellationToken);
        }

        await services.Store.TryCatchUpAsync(cancellationToken);
        if (cache.Snapshot.Objects.Count > 0)
        {
            _waits[name] = _waits.GetValueOrDefault(name) + 1;
            return;
        }

        _waits.Remove(name);
        await ReportAsync(name, "False", "InstanceDeletionCompleted", "removed all instances", cancellationToken);
        await services.Updater.UpdateAsync(Definitions, "", name, "", old =>
        {
            var obj = (JsonObject)old.DeepClone();
            Meta.SetFinalizers(obj, [.. Meta.Finalizers(obj).Where(f => f != DefinitionStrategy.Finalizer)]);
            return new Change(obj);
        }, Options(), cancellationToken);
    }

    private async Task DeleteAsync(ResourceInfo resource, CachedObject obj, CancellationToken cancellationToken)
    {
        try
        {
            await services.Deleter.DeleteAsync(resource, obj.Namespace, obj.Name, new DeletionOptions(), Options(), null, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone already: that is what was wanted.
        }
    }

    private async Task ReportAsync(string name, string status, string reason, string message, CancellationToken cancellationToken) =>
        await services.Updater.UpdateAsync(Definitions, "", name, "status", old =>
        {
            var obj = (JsonObject)old.DeepClone();
            DefinitionConditions.Set(obj, "Terminating", status, reason, message, services.Time.GetUtcNow());
            return new Change(obj);
        }, Options(), cancellationToken);

    private static WriteOptions Options() => new(Self, "kube-apiserver", DryRun: false, []);
}

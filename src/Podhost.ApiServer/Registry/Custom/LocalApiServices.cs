using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Hosting;
using Podhost.ApiServer.Routes;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry.Custom;

/// <summary>Keeps an APIService for every group and version that is served: that is how clients of the aggregator see what a server has.</summary>
/// <remarks>Upstream: kube-aggregator pkg/controllers/autoregister. Other servers cannot be aggregated here, so all of them are local.</remarks>
internal sealed class LocalApiServices(ApiServices services)
{
    private const string Managed = "kube-aggregator.kubernetes.io/automanaged";
    private static readonly ResourceInfo Resource = ResourceTable.For<V1APIService>();
    private static readonly ResourceInfo Definitions = ResourceTable.For<V1CustomResourceDefinition>();
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);
    private static readonly UserInfo Self = new("system:apiserver", [UserInfo.Masters, UserInfo.Authenticated]);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await services.Store.Caches.Filled.WaitAsync(cancellationToken);
        var cache = services.Store.Caches.For(Definitions);
        while (!cancellationToken.IsCancellationRequested)
        {
            using var watcher = cache.WatchFromNow(new ObjectFilter(cache.Prefix));
            do
            {
                while (watcher.Items.TryRead(out _))
                {
                    // A pass looks at everything that is served.
                }

                await PassAsync(cancellationToken);
            }
            while (await watcher.Items.WaitToReadAsync(cancellationToken));
        }
    }

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        try
        {
            await services.Store.TryCatchUpAsync(cancellationToken);
            var wanted = services.Store.Caches.Resources.All.GroupBy(r => (r.Group, r.Version))
                .ToDictionary(g => $"{g.Key.Version}.{g.Key.Group}", g => g.First(), StringComparer.Ordinal);
            var present = services.Store.Caches.List(Resource).ToDictionary(o => o.Name, StringComparer.Ordinal);
            foreach (var (name, resource) in wanted.Where(w => !present.ContainsKey(w.Key)))
            {
                await CreateAsync(name, resource, cancellationToken);
            }

            foreach (var gone in present.Values.Where(o => !wanted.ContainsKey(o.Name) && o.Selectable.Labels.ContainsKey(Managed)))
            {
                await services.Deleter.DeleteAsync(Resource, "", gone.Name, new DeletionOptions(), Options(), null, cancellationToken);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            ServerLog.ApiServicesFailed(services.Log, e);
            await Task.Delay(RetryDelay, services.Time, cancellationToken);
        }
    }

    private async Task CreateAsync(string name, ResourceInfo resource, CancellationToken cancellationToken)
    {
        try
        {
            await services.Creator.CreateAsync(Resource, "", Make(name, resource), Options(), tracked: false, cancellationToken);
            await services.Updater.UpdateAsync(Resource, "", name, "status", old => new Change(Available(old)), Options(), cancellationToken);
        }
        catch (ApiException e) when (e.IsAlreadyExists || e.IsNotFound)
        {
            // Another server of the store was faster.
        }
    }

    private static JsonObject Make(string name, ResourceInfo resource)
    {
        var spec = new JsonObject();
        if (resource.Group.Length > 0)
        {
            spec["group"] = resource.Group;
        }

        spec["version"] = resource.Version;
        spec["groupPriorityMinimum"] = resource.Custom is not null ? 1000 : resource.Group.Length == 0 ? 18000 : 17000;
        spec["versionPriority"] = resource.Custom is not null ? 100 : 15;
        return new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { [Managed] = resource.Custom is null ? "onstart" : "true" } },
            ["spec"] = spec,
        };
    }

    private JsonObject Available(JsonObject old)
    {
        var obj = (JsonObject)old.DeepClone();
        obj["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "Available",
                ["status"] = "True",
                ["lastTransitionTime"] = Meta.Time(services.Time.GetUtcNow()),
                ["reason"] = "Local",
                ["message"] = "Local APIServices are always available",
            }),
        };
        return obj;
    }

    private static WriteOptions Options() => new(Self, "kube-apiserver", DryRun: false, []);
}

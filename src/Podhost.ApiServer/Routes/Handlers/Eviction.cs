using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Registry.Pods;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>Deletes a pod where its PodDisruptionBudget allows it.</summary>
internal static class Eviction
{
    private const string Message = "Eviction API: evicting";
    private const int MaxTries = 32;

    private static readonly ResourceInfo Budgets = ResourceTable.For<V1PodDisruptionBudget>();

    public static async ValueTask RunAsync(
        ApiServices services, ResourceInfo pods, RequestInfo info, DeletionOptions deletion, WriteOptions options, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var seen = await AskAsync(services, pods, info, options, cancellationToken);
            var pinned = seen is not null && deletion.Preconditions.ResourceVersion is null;
            var conditional = pinned ? deletion with { Preconditions = deletion.Preconditions with { ResourceVersion = seen } } : deletion;
            try
            {
                await services.Deleter.DeleteAsync(
                    pods, info.Namespace, info.Name, conditional, options,
                    pod => PodConditions.Set(pod, "DisruptionTarget", "True", "EvictionByEvictionAPI", Message, services.Time.GetUtcNow()),
                    cancellationToken);
                return;
            }
            catch (ApiException e) when (e.IsConflict && pinned && attempt < MaxTries)
            {
                // The pod is no longer the one that needed no budget: ask again.
            }
        }
    }

    // The version of a pod that goes without its budget, which must still be the pod's when it does; null where the budget was charged or there is none.
    private static async ValueTask<string?> AskAsync(ApiServices services, ResourceInfo pods, RequestInfo info, WriteOptions options, CancellationToken cancellationToken)
    {
        var found = ObjectStore.Require(await services.Store.FreshAsync(pods, info.Namespace, info.Name, cancellationToken), pods, info.Name);
        var pod = found.ToObject();
        if (EvictionRules.IgnoresBudgets(pod))
        {
            return Meta.ResourceVersion(pod);
        }

        if (EvictionRules.BudgetOf(pod, services.Store.Caches.List(Budgets, info.Namespace).Select(b => b.ToObject())) is not { } budget)
        {
            return null;
        }

        if (!EvictionRules.IsReady(pod) && EvictionRules.LetsUnreadyGo(budget))
        {
            return Meta.ResourceVersion(pod);
        }

        await services.Updater.UpdateAsync(
            Budgets, info.Namespace, Meta.Name(budget), "status",
            old => new Change(EvictionRules.Charge(old, info.Name, services.Time.GetUtcNow())), options with { Options = null }, cancellationToken);
        return null;
    }
}

using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Quantities;
using Podhost.Api.Quota;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers.ResourceQuotas;

/// <summary>Tells in status.hard and status.used of each ResourceQuota what it limits and what the objects of its namespace use. Admission measures for itself.</summary>
public sealed class ResourceQuotaController : IController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1ResourceQuota> _quotas;
    private readonly IReadOnlyList<CountedKind> _kinds;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes statuses.</param>
    /// <param name="quotas">All quotas.</param>
    /// <param name="kinds">The kinds that are counted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public ResourceQuotaController(IApiClient client, IInformer<V1ResourceQuota> quotas, IReadOnlyList<CountedKind> kinds, TimeProvider time, ILoggerFactory logs)
    {
        _client = client;
        _quotas = quotas;
        _kinds = kinds;
        _time = time;
        _log = logs.CreateLogger<ResourceQuotaController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll([_quotas.Synced, .. _kinds.Select(k => k.Synced)]).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<ObjectKey>(new WorkQueueOptions { MaxRetryDelay = TimeSpan.FromSeconds(10) }, _time, _log);
        var subscriptions = new List<IDisposable> { _quotas.Subscribe(e => queue.Add(ObjectKey.Of(e.Object))) };
        subscriptions.AddRange(_kinds.Select(k => k.Subscribe(ns => Look(queue, ns))));
        try
        {
            await queue.RunAsync(1, (key, stop) => TellAsync(queue, key, stop), cancellationToken);
        }
        finally
        {
            subscriptions.ForEach(s => s.Dispose());
        }
    }

    private void Look(WorkQueue<ObjectKey> queue, string ns)
    {
        foreach (var quota in _quotas.List().Where(q => q.Metadata.NamespaceProperty == ns))
        {
            queue.Add(ObjectKey.Of(quota));
        }
    }

    private async Task TellAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        if (_quotas.Get(key.Namespace, key.Name) is not { } quota || Status(quota) is not { } status)
        {
            return;
        }

        try
        {
            await _client.UpdateAsync(
                new V1ResourceQuota { ApiVersion = "v1", Kind = "ResourceQuota", Metadata = quota.Metadata, Spec = quota.Spec, Status = status }, "status", cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone.
        }
        catch (ApiException e) when (e.IsConflict)
        {
            queue.AddRateLimited(key);
        }
    }

    // The status as it should be; null where it is so already.
    private V1ResourceQuotaStatus? Status(V1ResourceQuota quota)
    {
        var hard = QuotaAmounts.Of(quota.Spec?.Hard);
        var used = hard.ToDictionary(h => h.Key, h => Quantity.FromValue(0, h.Value.Format), StringComparer.Ordinal);
        foreach (var kind in _kinds)
        {
            kind.AddUsage(quota, used, _time.GetUtcNow().UtcDateTime);
        }

        return Same(hard, quota.Status?.Hard) && Same(used, quota.Status?.Used) ? null : new V1ResourceQuotaStatus { Hard = Model(hard), Used = Model(used) };
    }

    private static bool Same(Dictionary<string, Quantity> wanted, IDictionary<string, ResourceQuantity>? actual) =>
        wanted.Count == (actual?.Count ?? 0) && wanted.All(w => actual!.TryGetValue(w.Key, out var a) && QuotaAmounts.Of(a) == w.Value);

    private static Dictionary<string, ResourceQuantity> Model(Dictionary<string, Quantity> amounts) =>
        amounts.ToDictionary(a => a.Key, a => new ResourceQuantity(a.Value.ToString()));
}

using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers.ClusterRoles;

/// <summary>
/// Writes the rules of ClusterRoles with an aggregationRule, so that whoever reads them sees what they grant. The server does not wait for
/// it: it collects the rules itself when it authorizes.
/// </summary>
public sealed class ClusterRoleAggregationController : QueueController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1ClusterRole> _roles;

    /// <summary>A controller.</summary>
    /// <param name="client">Patches roles; may escalate.</param>
    /// <param name="roles">All ClusterRoles.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public ClusterRoleAggregationController(IApiClient client, IInformer<V1ClusterRole> roles, TimeProvider time, ILoggerFactory logs)
        : base(1, time, logs.CreateLogger<ClusterRoleAggregationController>())
    {
        _client = client;
        _roles = roles;
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_roles.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _roles.Subscribe(_ =>
        {
            // Any role may be what another collects; there are few that collect.
            foreach (var role in _roles.List().Where(r => r.AggregationRule is not null))
            {
                queue.Add(ObjectKey.Of(role));
            }
        });
    }

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        if (_roles.Get(null, key.Name) is not { AggregationRule: not null, Metadata.DeletionTimestamp: null } role)
        {
            return;
        }

        var rules = AggregationRules.Collect(role, _roles.List());
        if (AggregationRules.Same(role.Rules, rules))
        {
            return;
        }

        // The whole list is written, so it must be the list that we have seen.
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = role.Metadata.Uid, ["resourceVersion"] = role.Metadata.ResourceVersion },
            ["rules"] = new JsonArray([.. rules.Select(r => (JsonNode)ObjectCodec.ToObject(r))]),
        };
        try
        {
            await _client.PatchAsync<V1ClusterRole>(null, key.Name, PatchKind.Merge, patch, null, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or changed by somebody else: the informer tells the rest.
        }
    }
}

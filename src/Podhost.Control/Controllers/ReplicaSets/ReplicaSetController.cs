using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.ReplicaSets;

/// <summary>Keeps as many pods of each ReplicaSet alive as it asks for.</summary>
public sealed class ReplicaSetController : ReplicaController<V1ReplicaSet>
{
    private static readonly OwnerKind<V1ReplicaSet> Kind = new("apps/v1", "ReplicaSet", s => LabelSelector.FromModel(s.Spec.Selector));

    /// <summary>A controller.</summary>
    /// <param name="client">Writes pods and statuses.</param>
    /// <param name="sets">All ReplicaSets.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="events">Tells what was created and deleted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public ReplicaSetController(IApiClient client, IInformer<V1ReplicaSet> sets, IInformer<V1Pod> pods, IEventSink events, TimeProvider time, ILoggerFactory logs)
        : base(client, Kind, sets, pods, events, time, logs.CreateLogger<ReplicaSetController>())
    {
    }

    /// <inheritdoc />
    protected override V1ReplicaSet AsSet(V1ReplicaSet owner) => owner;

    /// <inheritdoc />
    protected override V1ReplicaSet WithStatus(V1ReplicaSet owner, V1ReplicaSetStatus status) =>
        new() { ApiVersion = Kind.ApiVersion, Kind = Kind.Kind, Metadata = owner.Metadata, Spec = owner.Spec, Status = status };
}

using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.ReplicaSets;

/// <summary>Keeps as many pods of each ReplicationController alive as it asks for: as for a ReplicaSet, in an older form.</summary>
public sealed class ReplicationControllerController : ReplicaController<V1ReplicationController>
{
    private static readonly OwnerKind<V1ReplicationController> Kind = new(
        "v1", "ReplicationController", c => LabelSelector.FromMap(new Dictionary<string, string>(c.Spec.Selector ?? new Dictionary<string, string>(), StringComparer.Ordinal)));

    /// <summary>A controller.</summary>
    /// <param name="client">Writes pods and statuses.</param>
    /// <param name="controllers">All ReplicationControllers.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="events">Tells what was created and deleted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public ReplicationControllerController(
        IApiClient client, IInformer<V1ReplicationController> controllers, IInformer<V1Pod> pods, IEventSink events, TimeProvider time, ILoggerFactory logs)
        : base(client, Kind, controllers, pods, events, time, logs.CreateLogger<ReplicationControllerController>())
    {
    }

    /// <inheritdoc />
    protected override V1ReplicaSet AsSet(V1ReplicationController owner) => new()
    {
        Metadata = owner.Metadata,
        Spec = new V1ReplicaSetSpec { Replicas = owner.Spec.Replicas, MinReadySeconds = owner.Spec.MinReadySeconds, Template = owner.Spec.Template },
        Status = owner.Status is not { } status ? null : new V1ReplicaSetStatus
        {
            Replicas = status.Replicas,
            FullyLabeledReplicas = status.FullyLabeledReplicas,
            ReadyReplicas = status.ReadyReplicas,
            AvailableReplicas = status.AvailableReplicas,
            ObservedGeneration = status.ObservedGeneration,
            Conditions = status.Conditions?.Select(c => new V1ReplicaSetCondition
            {
                Type = c.Type, Status = c.Status, Reason = c.Reason, Message = c.Message, LastTransitionTime = c.LastTransitionTime,
            }).ToList(),
        },
    };

    /// <inheritdoc />
    protected override V1ReplicationController WithStatus(V1ReplicationController owner, V1ReplicaSetStatus status) => new()
    {
        ApiVersion = Kind.ApiVersion,
        Kind = Kind.Kind,
        Metadata = owner.Metadata,
        Spec = owner.Spec,
        Status = new V1ReplicationControllerStatus
        {
            Replicas = status.Replicas,
            FullyLabeledReplicas = status.FullyLabeledReplicas,
            ReadyReplicas = status.ReadyReplicas,
            AvailableReplicas = status.AvailableReplicas,
            ObservedGeneration = status.ObservedGeneration,
            Conditions = status.Conditions?.Select(c => new V1ReplicationControllerCondition
            {
                Type = c.Type, Status = c.Status, Reason = c.Reason, Message = c.Message, LastTransitionTime = c.LastTransitionTime,
            }).ToList(),
        },
    };
}

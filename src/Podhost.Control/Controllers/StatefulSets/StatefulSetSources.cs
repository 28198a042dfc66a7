using k8s.Models;
using Podhost.Client.Informers;

namespace Podhost.Control.Controllers.StatefulSets;

/// <summary>What the controller of StatefulSets reads.</summary>
/// <param name="Sets">All StatefulSets.</param>
/// <param name="Pods">All pods.</param>
/// <param name="Revisions">All ControllerRevisions.</param>
/// <param name="Claims">All claims.</param>
public sealed record StatefulSetSources(
    IInformer<V1StatefulSet> Sets, IInformer<V1Pod> Pods, IInformer<V1ControllerRevision> Revisions, IInformer<V1PersistentVolumeClaim> Claims);

using k8s.Models;
using Podhost.Client.Informers;

namespace Podhost.Control.Controllers.DaemonSets;

/// <summary>What the controller of DaemonSets reads.</summary>
/// <param name="Sets">All DaemonSets.</param>
/// <param name="Pods">All pods.</param>
/// <param name="Nodes">All nodes.</param>
/// <param name="Revisions">All ControllerRevisions.</param>
public sealed record DaemonSetSources(IInformer<V1DaemonSet> Sets, IInformer<V1Pod> Pods, IInformer<V1Node> Nodes, IInformer<V1ControllerRevision> Revisions);

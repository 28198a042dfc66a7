using k8s.Models;
using Podhost.Client.Informers;

namespace Podhost.Control.Scheduler;

/// <summary>What the scheduler looks at. The informers are run by the caller and may be shared.</summary>
/// <param name="Pods">All pods.</param>
/// <param name="Nodes">All nodes.</param>
/// <param name="Namespaces">All namespaces.</param>
/// <param name="Services">All Services: their pods are spread.</param>
/// <param name="Storage">Claims and volumes; null where no pod uses any.</param>
/// <param name="Budgets">All PodDisruptionBudgets; null where the server has none.</param>
public sealed record SchedulerSources(
    IInformer<V1Pod> Pods,
    IInformer<V1Node> Nodes,
    IInformer<V1Namespace> Namespaces,
    IInformer<V1Service> Services,
    SchedulerStorage? Storage,
    IInformer<V1PodDisruptionBudget>? Budgets)
{
    /// <summary>Completes when all of them have their first list.</summary>
    internal Task Synced => Task.WhenAll(
        Pods.Synced, Nodes.Synced, Namespaces.Synced, Services.Synced, Storage?.Synced ?? Task.CompletedTask, Budgets?.Synced ?? Task.CompletedTask);
}

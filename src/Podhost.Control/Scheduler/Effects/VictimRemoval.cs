using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Control.Events;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Effects;

/// <summary>Makes victims of preemption leave: their condition says why, their grace is kept, an event tells it. Repeating it does no harm.</summary>
/// <param name="client">As system:kube-scheduler.</param>
/// <param name="events">Records Preempted.</param>
/// <param name="time">The clock.</param>
internal sealed class VictimRemoval(IApiClient client, IEventSink events, TimeProvider time)
{
    /// <summary>Asks all victims to leave; one that is gone already is no error.</summary>
    public async Task RunAsync(PodView preemptor, string node, IReadOnlyList<PodView> victims, CancellationToken cancellationToken)
    {
        // One whose deletion runs already needs no second request; it is only waited for.
        foreach (var victim in victims.Where(v => !v.IsTerminating))
        {
            try
            {
                await PodStatusPatch.PreemptedAsync(client, victim, preemptor, time.GetUtcNow(), cancellationToken);
                var options = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = victim.Uid } };
                await client.DeleteAsync<V1Pod>(victim.Namespace, victim.Pod.Metadata.Name, options, cancellationToken);
                events.Record(victim.Pod, "Normal", "Preempted", $"Preempted by pod {preemptor.Uid} on node {node}");
            }
            catch (ApiException e) when (e.IsNotFound || e.IsConflict)
            {
                // Gone, or another pod has its name by now: nothing is in the way.
            }
        }
    }
}

using k8s;
using k8s.Models;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>
/// Which pods are whose: those that an owner controls and its selector finds. Orphans that it finds are adopted, pods that it no longer
/// finds are released. Upstream: PodControllerRefManager and the pod handlers of its controllers.
/// </summary>
/// <param name="client">Writes owner references.</param>
/// <param name="kind">The owners.</param>
/// <param name="owners">All owners.</param>
/// <param name="pods">All pods.</param>
/// <param name="control">Writes pods.</param>
/// <param name="expectations">What the owners' own writes will change.</param>
internal sealed class OwnedPods<TOwner>(
    IApiClient client, OwnerKind<TOwner> kind, IInformer<TOwner> owners, IInformer<V1Pod> pods, PodControl control, Expectations expectations)
    where TOwner : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly InformerIndex<V1Pod> _byController = pods.AddIndex(OwnerIndex.ByController);
    private readonly InformerIndex<TOwner> _byNamespace = owners.AddIndex(OwnerIndex.ByNamespace);

    /// <summary>Adds the owners whose pods a change may concern.</summary>
    public void Look(WorkQueue<ObjectKey> queue, InformerEvent<V1Pod> change)
    {
        var pod = change.Object;
        var (ns, owner) = (pod.Metadata.NamespaceProperty ?? "", Ownership.ControllerOf(pod));
        if (owner is null)
        {
            foreach (var candidate in _byNamespace.Get(ns).Where(o => Finds(o, pod)))
            {
                queue.Add(ObjectKey.Of(candidate));
            }
        }

        if (change.Previous is { } previous && Ownership.ControllerOf(previous) is { } before && before.Kind == kind.Kind && before.Uid != owner?.Uid)
        {
            queue.Add(new ObjectKey(ns, before.Name));
        }

        if (owner is null || owner.Kind != kind.Kind)
        {
            return;
        }

        var key = new ObjectKey(ns, owner.Name);
        if (change.Type == WatchEventKind.Added && pod.Metadata.DeletionTimestamp is null)
        {
            expectations.CreationSeen(key);
        }

        // A pod that is told to go is no longer counted: that is what its deletion was for.
        if (change.Type == WatchEventKind.Deleted || pod.Metadata.DeletionTimestamp is not null)
        {
            expectations.DeletionSeen(key, pod.Metadata.Uid);
        }

        queue.Add(key);
    }

    /// <summary>The pods of an owner, with those that it adopts now and without those that it releases now.</summary>
    public async Task<IReadOnlyList<V1Pod>> ClaimAsync(TOwner owner, CancellationToken cancellationToken)
    {
        var mine = new List<V1Pod>();
        var selector = kind.SelectorOf(owner);

        // Read first, so that a pod which is orphaned between the two is missed, and not had twice.
        var orphans = _byController.Get(OwnerIndex.OrphansOf(owner.Metadata.NamespaceProperty));
        foreach (var pod in _byController.Get(owner.Metadata.Uid))
        {
            if (owner.Metadata.DeletionTimestamp is not null || Finds(owner, pod, selector))
            {
                mine.Add(pod);
            }
            else
            {
                await control.ReleaseAsync(owner, pod, kind.Finalizer, cancellationToken);
            }
        }

        foreach (var pod in orphans.Where(o => Finds(owner, o, selector) && mine.All(m => m.Metadata.Uid != o.Metadata.Uid)))
        {
            if (MayAdopt(pod) && await Ownership.MayAdoptAsync(client, owner, cancellationToken))
            {
                await control.AdoptAsync(kind.Reference(owner), pod, kind.Finalizer, cancellationToken);
                mine.Add(pod);
            }
        }

        return mine;
    }

    private bool MayAdopt(V1Pod pod) => pod.Metadata.DeletionTimestamp is null && (kind.AdoptsFinished || PodStates.IsActive(pod));

    private bool Finds(TOwner owner, V1Pod pod) => Finds(owner, pod, kind.SelectorOf(owner));

    private bool Finds(TOwner owner, V1Pod pod, LabelSelector selector) => selector.Selects(pod.Metadata) && kind.MayOwn(owner, pod);
}

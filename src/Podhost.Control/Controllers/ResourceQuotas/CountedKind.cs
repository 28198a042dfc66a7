using k8s;
using k8s.Models;
using Podhost.Api.Quantities;
using Podhost.Api.Quota;
using Podhost.Api.Resources;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.CustomKinds;

namespace Podhost.Control.Controllers.ResourceQuotas;

/// <summary>A kind whose objects quotas count.</summary>
public abstract class CountedKind
{
    private protected CountedKind()
    {
    }

    internal abstract Task Synced { get; }

    /// <summary>A kind of an informer; the informer is run by the caller.</summary>
    public static CountedKind Of<T>(IInformer<T> informer) where T : class, IKubernetesObject<V1ObjectMeta> => new Typed<T>(informer);

    /// <summary>All custom kinds; the follower is run by the caller.</summary>
    public static CountedKind Of(CustomKindFollower follower) => new Custom(follower);

    /// <summary>What the objects of a namespace use of a quota.</summary>
    internal abstract void AddUsage(V1ResourceQuota quota, IDictionary<string, Quantity> used, DateTime now);

    /// <summary>Tells the namespaces in which something changed that may change the usage.</summary>
    internal abstract IDisposable Subscribe(Action<string> changed);

    private sealed class Typed<T>(IInformer<T> informer) : CountedKind where T : class, IKubernetesObject<V1ObjectMeta>
    {
        private static readonly ResourceInfo Resource = ResourceTable.For<T>();
        private static readonly Dictionary<string, Quantity> One = ObjectQuota.Count(Resource);

        internal override Task Synced => informer.Synced;

        internal override void AddUsage(V1ResourceQuota quota, IDictionary<string, Quantity> used, DateTime now)
        {
            var hard = quota.Spec?.Hard?.Keys.ToHashSet(StringComparer.Ordinal) ?? [];
            foreach (var obj in informer.List().Where(o => o.Metadata.NamespaceProperty == quota.Metadata.NamespaceProperty && Means(quota, o)))
            {
                QuotaAmounts.Add(used, UsageOf(obj, now).Where(u => hard.Contains(u.Key)).ToDictionary());
            }
        }

        internal override IDisposable Subscribe(Action<string> changed) => informer.Subscribe(e =>
        {
            if (e.Type != WatchEventKind.Modified || MayChange(e.Previous, e.Object))
            {
                changed(e.Object.Metadata.NamespaceProperty ?? "");
            }
        });

        private static bool Means(V1ResourceQuota quota, T obj) => obj switch
        {
            V1Pod pod => QuotaScopes.Matches(quota, pod),
            V1PersistentVolumeClaim claim => QuotaScopes.Matches(quota, claim),
            _ => !QuotaScopes.HasAny(quota),
        };

        private static Dictionary<string, Quantity> UsageOf(T obj, DateTime now) => obj switch
        {
            V1Pod pod => PodQuota.Usage(pod, now),
            V1Service service => ObjectQuota.Usage(service),
            V1PersistentVolumeClaim claim => ObjectQuota.Usage(claim),
            _ => One,
        };

        // Most changes of a pod are its status: what counts there is whether it has ended.
        private static bool MayChange(T? before, T now) => (before, now) switch
        {
            (V1Pod old, V1Pod pod) => old.Status?.Phase != pod.Status?.Phase || old.Metadata.Generation != pod.Metadata.Generation
                || old.Metadata.DeletionTimestamp != pod.Metadata.DeletionTimestamp,
            (V1Service or V1PersistentVolumeClaim, _) => true,
            _ => false,
        };
    }

    private sealed class Custom(CustomKindFollower follower) : CountedKind
    {
        internal override Task Synced => follower.Synced;

        internal override void AddUsage(V1ResourceQuota quota, IDictionary<string, Quantity> used, DateTime now)
        {
            var hard = quota.Spec?.Hard?.Keys.ToHashSet(StringComparer.Ordinal) ?? [];
            foreach (var obj in QuotaScopes.HasAny(quota) ? [] : follower.List().Where(o => o.Namespace == quota.Metadata.NamespaceProperty))
            {
                QuotaAmounts.Add(used, ObjectQuota.Count(obj.Resource).Where(u => hard.Contains(u.Key)).ToDictionary());
            }
        }

        internal override IDisposable Subscribe(Action<string> changed) => follower.Subscribe((before, after) =>
        {
            if ((before is null || after is null) && (after ?? before) is { Namespace.Length: > 0 } obj)
            {
                changed(obj.Namespace);
            }
        });
    }
}

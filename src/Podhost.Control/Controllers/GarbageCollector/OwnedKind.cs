using k8s;
using k8s.Models;
using Podhost.Api.Resources;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.CustomKinds;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.GarbageCollector;

/// <summary>A kind whose objects the garbage collector knows.</summary>
public abstract class OwnedKind
{
    private protected OwnedKind()
    {
    }

    internal abstract Task Synced { get; }

    /// <summary>A kind of an informer; the informer is run by the caller.</summary>
    public static OwnedKind Of<T>(IInformer<T> informer) where T : class, IKubernetesObject<V1ObjectMeta> => new Typed<T>(informer);

    /// <summary>All custom kinds; the follower is run by the caller.</summary>
    public static OwnedKind Of(CustomKindFollower follower) => new Custom(follower);

    /// <summary>A kind by its names; null where it is none of these.</summary>
    internal virtual ResourceInfo? FindKind(string apiVersion, string kind) => null;

    /// <summary>Tells the object before (null for a new one) and after (null for a deleted one).</summary>
    internal abstract IDisposable Subscribe(Action<ObjectIdentity?, ObjectIdentity?> changed);

    private sealed class Typed<T>(IInformer<T> informer) : OwnedKind where T : class, IKubernetesObject<V1ObjectMeta>
    {
        private static readonly ResourceInfo Resource = ResourceTable.For<T>();

        internal override Task Synced => informer.Synced;

        internal override IDisposable Subscribe(Action<ObjectIdentity?, ObjectIdentity?> changed) => informer.Subscribe(e =>
        {
            var now = new ObjectIdentity(Resource, e.Object.Metadata);
            var before = e.Previous is { } previous ? new ObjectIdentity(Resource, previous.Metadata) : null;
            changed(e.Type == WatchEventKind.Deleted ? before ?? now : before, e.Type == WatchEventKind.Deleted ? null : now);
        });
    }

    private sealed class Custom(CustomKindFollower follower) : OwnedKind
    {
        internal override Task Synced => follower.Synced;

        internal override ResourceInfo? FindKind(string apiVersion, string kind) =>
            follower.Kinds.FirstOrDefault(k => k.ApiVersion == apiVersion && k.Kind == kind);

        internal override IDisposable Subscribe(Action<ObjectIdentity?, ObjectIdentity?> changed) => follower.Subscribe(changed);
    }
}

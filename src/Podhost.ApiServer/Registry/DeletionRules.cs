using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Registry;

/// <summary>What a delete does to an object.</summary>
internal enum DeletionStep
{
    /// <summary>Nothing: it is being deleted already, and this request does not make it go sooner.</summary>
    Pending,

    /// <summary>The object is written with its deletion marks and stays until somebody ends the deletion.</summary>
    Mark,

    /// <summary>The object is written with a grace period of 0, so that watchers see why, and then removed.</summary>
    MarkAndRemove,

    /// <summary>The object is removed.</summary>
    Remove,
}

/// <summary>The decision on a delete. Pure: the object is changed in place, nothing else.</summary>
/// <remarks>Upstream: k8s.io/apiserver pkg/registry/rest/delete.go BeforeDelete and generic/registry/store.go Delete.</remarks>
internal static class DeletionRules
{
    private const string OrphanFinalizer = "orphan";
    private const string ForegroundFinalizer = "foregroundDeletion";

    /// <summary>Decides, and marks the object accordingly.</summary>
    public static DeletionStep Decide(JsonObject obj, DeletionOptions options, ResourceStrategy strategy, DateTimeOffset now)
    {
        var graceful = strategy.DeletesGracefully && Shorten(obj, options, strategy, now) is var outcome ? outcome : Graceful.NotSupported;
        if (graceful == Graceful.AlreadyPending)
        {
            return DeletionStep.Pending;
        }

        ApplyPropagation(obj, options.Propagation);
        var finalized = Meta.Finalizers(obj).Count > 0;
        if (graceful == Graceful.Marked)
        {
            return finalized || Meta.GraceSeconds(obj) > 0 ? DeletionStep.Mark : DeletionStep.MarkAndRemove;
        }

        if (!finalized)
        {
            return DeletionStep.Remove;
        }

        MarkWithoutGrace(obj, now);
        return DeletionStep.Mark;
    }

    private static Graceful Shorten(JsonObject obj, DeletionOptions options, ResourceStrategy strategy, DateTimeOffset now)
    {
        var meta = Meta.Of(obj);
        if (!Meta.IsDeleting(obj))
        {
            var grace = strategy.GraceSeconds(obj, options.GraceSeconds);
            meta["deletionTimestamp"] = Meta.Time(now.AddSeconds(grace));
            meta["deletionGracePeriodSeconds"] = grace;
            RaiseGeneration(obj);
            return Graceful.Marked;
        }

        if (Meta.GraceSeconds(obj) is not { } present)
        {
            return Graceful.NotSupported;
        }

        // Only a shorter grace period may be asked for, counted from the first request.
        if (options.GraceSeconds is not { } wanted || Math.Max(wanted, 0) >= present)
        {
            // A deletion that ran down to 0 and waits for finalizers only is over as soon as they are gone.
            return present == 0 && Meta.Finalizers(obj).Count == 0 ? Graceful.Marked : Graceful.AlreadyPending;
        }

        wanted = wanted < 0 ? 1 : wanted;
        meta["deletionTimestamp"] = Meta.Time(Meta.DeletionTime(obj)!.Value.AddSeconds(wanted - present));
        meta["deletionGracePeriodSeconds"] = wanted;
        return Graceful.Marked;
    }

    private static void ApplyPropagation(JsonObject obj, Propagation propagation)
    {
        if (propagation == Propagation.Unset)
        {
            return;
        }

        var finalizers = Meta.Finalizers(obj);
        finalizers.RemoveAll(f => f is OrphanFinalizer or ForegroundFinalizer);
        if (propagation == Propagation.Orphan)
        {
            finalizers.Add(OrphanFinalizer);
        }
        else if (propagation == Propagation.Foreground)
        {
            finalizers.Add(ForegroundFinalizer);
        }

        Meta.SetFinalizers(obj, finalizers);
    }

    private static void MarkWithoutGrace(JsonObject obj, DateTimeOffset now)
    {
        var meta = Meta.Of(obj);
        if (!Meta.IsDeleting(obj))
        {
            meta["deletionTimestamp"] = Meta.Time(now);
            RaiseGeneration(obj);
        }

        meta["deletionGracePeriodSeconds"] = 0;
    }

    private static void RaiseGeneration(JsonObject obj)
    {
        if (Meta.Generation(obj) is var generation and > 0)
        {
            Meta.Of(obj)["generation"] = generation + 1;
        }
    }

    private enum Graceful
    {
        NotSupported,
        AlreadyPending,
        Marked,
    }
}

using k8s.Models;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.GarbageCollector;

/// <summary>What an owner reference points at.</summary>
internal enum OwnerState
{
    /// <summary>It exists, or nobody can say (its kind is not known here): the dependent stays.</summary>
    Solid,

    /// <summary>It is gone.</summary>
    Absent,

    /// <summary>It is being deleted in the foreground and waits for its dependents.</summary>
    Waiting,
}

/// <summary>What to do with an object.</summary>
internal abstract record GarbageAction
{
    /// <summary>Nothing.</summary>
    internal sealed record Keep : GarbageAction;

    /// <summary>Delete it.</summary>
    /// <param name="Propagation">How.</param>
    /// <param name="Unblocks">True where it must not keep its owners waiting: what depends on it waits itself, perhaps for those.</param>
    internal sealed record Delete(string Propagation, bool Unblocks = false) : GarbageAction;

    /// <summary>Its other owners keep it: take these references away.</summary>
    internal sealed record DropOwners(IReadOnlyCollection<string> Uids) : GarbageAction;

    /// <summary>Take its references to itself from its dependents, then take the finalizer away.</summary>
    internal sealed record Orphan : GarbageAction;

    /// <summary>Nobody blocks its deletion any more: take the finalizer away.</summary>
    internal sealed record FinishForeground : GarbageAction;
}

/// <summary>The decision on one object. Pure. Source: upstream's garbage collector (attemptToDeleteItem, processDeletingDependentsItem, orphanDependents).</summary>
internal static class GarbageRules
{
    public const string OrphanFinalizer = "orphan";
    public const string ForegroundFinalizer = "foregroundDeletion";

    public static bool WaitsForDependents(ObjectIdentity obj) => obj.IsDeleting && obj.HasFinalizer(ForegroundFinalizer);

    public static GarbageAction Decide(ObjectIdentity obj, IReadOnlyList<(V1OwnerReference Owner, OwnerState State)> owners, IReadOnlyList<ObjectIdentity> dependents)
    {
        if (obj.IsDeleting)
        {
            return obj.HasFinalizer(OrphanFinalizer) ? new GarbageAction.Orphan()
                : obj.HasFinalizer(ForegroundFinalizer) && !dependents.Any(d => Blocks(d, obj)) ? new GarbageAction.FinishForeground()
                : new GarbageAction.Keep();
        }

        if (owners.Count == 0)
        {
            return new GarbageAction.Keep();
        }

        if (owners.Any(o => o.State == OwnerState.Solid))
        {
            var gone = owners.Where(o => o.State != OwnerState.Solid).Select(o => o.Owner.Uid).ToList();
            return gone.Count == 0 ? new GarbageAction.Keep() : new GarbageAction.DropOwners(gone);
        }

        // An owner waits for this one: what depends on this one goes first, too.
        if (owners.Any(o => o.State == OwnerState.Waiting) && dependents.Count > 0)
        {
            return new GarbageAction.Delete("Foreground", Unblocks: dependents.Any(WaitsForDependents));
        }

        return new GarbageAction.Delete(
            obj.HasFinalizer(OrphanFinalizer) ? "Orphan" : obj.HasFinalizer(ForegroundFinalizer) ? "Foreground" : "Background");
    }

    /// <summary>True where a change of an object cannot change any decision.</summary>
    public static bool IsSame(ObjectIdentity a, ObjectIdentity b) =>
        a.IsDeleting == b.IsDeleting
        && (a.Metadata.Finalizers ?? []).SequenceEqual(b.Metadata.Finalizers ?? [])
        && a.Owners.Select(Text).SequenceEqual(b.Owners.Select(Text));

    private static string Text(V1OwnerReference o) => $"{o.ApiVersion}/{o.Kind}/{o.Name}/{o.Uid}/{o.BlockOwnerDeletion}";

    // Two that wait for each other would wait for ever: a dependent that waits itself, for this very owner, does not block.
    private static bool Blocks(ObjectIdentity dependent, ObjectIdentity owner) =>
        dependent.Owners.Any(o => o.Uid == owner.Uid && o.BlockOwnerDeletion == true)
        && !(WaitsForDependents(dependent) && owner.Owners.Any(o => o.Uid == dependent.Uid));
}

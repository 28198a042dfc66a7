using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.GarbageCollector;

/// <summary>Objects by uid, and who depends on whom. Safe for several threads.</summary>
internal sealed class OwnershipGraph
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ObjectIdentity> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _dependents = new(StringComparer.Ordinal);

    public ObjectIdentity? Get(string uid)
    {
        lock (_gate)
        {
            return _objects.GetValueOrDefault(uid);
        }
    }

    public IReadOnlyList<ObjectIdentity> Dependents(string uid)
    {
        lock (_gate)
        {
            return _dependents.TryGetValue(uid, out var uids) ? [.. uids.Select(u => _objects[u])] : [];
        }
    }

    /// <summary>Takes a change.</summary>
    /// <returns>The uids of the objects whose fate may be another now.</returns>
    public IReadOnlySet<string> Apply(ObjectIdentity? before, ObjectIdentity? after)
    {
        lock (_gate)
        {
            // A deletion is told with the object as it was last; what the graph knows of it may differ.
            var known = _objects.GetValueOrDefault((after ?? before)!.Uid);
            Unlink(known);
            if (after is not null)
            {
                _objects[after.Uid] = after;
                foreach (var owner in after.Owners.Where(o => !string.IsNullOrEmpty(o.Uid)))
                {
                    if (!_dependents.TryGetValue(owner.Uid, out var dependents))
                    {
                        _dependents[owner.Uid] = dependents = new HashSet<string>(StringComparer.Ordinal);
                    }

                    dependents.Add(after.Uid);
                }
            }

            return Touched(known ?? before, after);
        }
    }

    private void Unlink(ObjectIdentity? known)
    {
        if (known is null)
        {
            return;
        }

        _objects.Remove(known.Uid);
        foreach (var owner in known.Owners)
        {
            if (_dependents.TryGetValue(owner.Uid ?? "", out var dependents) && dependents.Remove(known.Uid) && dependents.Count == 0)
            {
                _dependents.Remove(owner.Uid!);
            }
        }
    }

    private HashSet<string> Touched(ObjectIdentity? before, ObjectIdentity? after)
    {
        var touched = new HashSet<string>(StringComparer.Ordinal);
        if (after is not null && before is not null && GarbageRules.IsSame(before, after))
        {
            return touched;
        }

        if (after is not null)
        {
            touched.Add(after.Uid);
        }

        // An owner that waits for its dependents looks again when one of them goes or lets go of it.
        touched.UnionWith((before?.Owners ?? []).Concat(after?.Owners ?? []).Select(o => o.Uid ?? "").Where(_objects.ContainsKey));
        if (after is null || GarbageRules.WaitsForDependents(after))
        {
            touched.UnionWith(_dependents.GetValueOrDefault((after ?? before)!.Uid) ?? []);
        }

        return touched;
    }
}

namespace Podhost.Api.FieldManagement;

/// <summary>
/// A set of paths, as a tree. A step is in the form of fieldsV1: <c>f:name</c>, <c>k:{"name":"a"}</c>, <c>v:"x"</c>, <c>i:0</c>.
/// Immutable; nodes without members below them are never kept.
/// </summary>
internal sealed class FieldSet
{
    public static readonly FieldSet Empty = new(false, []);
    public static readonly FieldSet Member = new(true, []);

    private readonly SortedDictionary<string, FieldSet> children;

    private FieldSet(bool isMember, SortedDictionary<string, FieldSet> children)
    {
        IsMember = isMember;
        this.children = children;
    }

    /// <summary>True where the path to this node is itself in the set.</summary>
    public bool IsMember { get; }

    public bool IsEmpty => !IsMember && children.Count == 0;

    public IEnumerable<KeyValuePair<string, FieldSet>> Children => children;

    public static FieldSet Of(bool isMember, IEnumerable<KeyValuePair<string, FieldSet>> children)
    {
        var kept = new SortedDictionary<string, FieldSet>(StringComparer.Ordinal);
        foreach (var (step, child) in children)
        {
            if (!child.IsEmpty)
            {
                kept[step] = kept.TryGetValue(step, out var same) ? same.Union(child) : child;
            }
        }

        return kept.Count > 0 ? new FieldSet(isMember, kept) : isMember ? Member : Empty;
    }

    /// <summary>The set of one path.</summary>
    public static FieldSet OfPath(params string[] steps)
    {
        var set = Member;
        foreach (var step in steps.Reverse())
        {
            set = Of(false, [KeyValuePair.Create(step, set)]);
        }

        return set;
    }

    public FieldSet Child(string step) => children.GetValueOrDefault(step, Empty);

    public FieldSet AsMember() => IsMember ? this : new FieldSet(true, children);

    public FieldSet Union(FieldSet other)
    {
        if (other.IsEmpty || ReferenceEquals(this, other))
        {
            return this;
        }

        return IsEmpty ? other : Of(IsMember || other.IsMember, children.Concat(other.children));
    }

    /// <summary>The paths of this set that are not in the other; a path below one of the other's stays.</summary>
    public FieldSet Difference(FieldSet other) => other.IsEmpty
        ? this
        : Of(IsMember && !other.IsMember, children.Select(c => KeyValuePair.Create(c.Key, c.Value.Difference(other.Child(c.Key)))));

    /// <summary>The paths of this set that are neither in the other nor below one of its paths.</summary>
    public FieldSet RecursiveDifference(FieldSet other)
    {
        if (other.IsMember)
        {
            return Empty;
        }

        return other.IsEmpty
            ? this
            : Of(IsMember, children.Select(c => KeyValuePair.Create(c.Key, c.Value.RecursiveDifference(other.Child(c.Key)))));
    }

    public FieldSet Intersection(FieldSet other) => other.IsEmpty
        ? Empty
        : Of(IsMember && other.IsMember, children.Select(c => KeyValuePair.Create(c.Key, c.Value.Intersection(other.Child(c.Key)))));

    public bool SameAs(FieldSet other) => IsMember == other.IsMember && children.Count == other.children.Count
        && children.All(c => other.children.TryGetValue(c.Key, out var same) && c.Value.SameAs(same));

    /// <summary>All paths, as upstream prints them: <c>.spec.containers[name="a"].image</c>.</summary>
    public IEnumerable<string> Paths() => Paths("");

    private IEnumerable<string> Paths(string prefix)
    {
        if (IsMember && prefix.Length > 0)
        {
            yield return prefix;
        }

        foreach (var (step, child) in children)
        {
            foreach (var path in child.Paths(prefix + PathStep.Print(step)))
            {
                yield return path;
            }
        }
    }
}

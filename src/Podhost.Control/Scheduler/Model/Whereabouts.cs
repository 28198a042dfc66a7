using System.Collections.Immutable;

namespace Podhost.Control.Scheduler.Model;

/// <summary>
/// On which nodes there are pods of a kind, by the places of the nodes in their view: what matters on few nodes is found without a look at all of them.
/// Immutable; a change of one node makes the next from the one before.
/// </summary>
/// <typeparam name="T">What nodes count their pods by.</typeparam>
internal sealed class Whereabouts<T> where T : class, IEquatable<T>
{
    private readonly ImmutableDictionary<T, int[]> _places;

    private Whereabouts(ImmutableDictionary<T, int[]> places) => _places = places;

    /// <summary>Each kind that there is, with the places of the nodes that have it.</summary>
    public ImmutableDictionary<T, int[]> All => _places;

    public static Whereabouts<T> Of(NodeView[] nodes, Func<NodeView, Tally<T>> tally)
    {
        var places = new Dictionary<T, List<int>>();
        for (var at = 0; at < nodes.Length; at++)
        {
            foreach (var (what, _) in tally(nodes[at]).Counts)
            {
                (places.TryGetValue(what, out var list) ? list : places[what] = []).Add(at);
            }
        }

        return new Whereabouts<T>(places.ToImmutableDictionary(p => p.Key, p => p.Value.ToArray()));
    }

    /// <summary>The same after a change of one node.</summary>
    /// <param name="at">Its place.</param>
    /// <param name="before">What it had.</param>
    /// <param name="after">What it has.</param>
    public Whereabouts<T> With(int at, Tally<T> before, Tally<T> after)
    {
        var next = _places;
        foreach (var (what, _) in before.Counts)
        {
            if (after.CountOf(what) == 0 && next.TryGetValue(what, out var places))
            {
                next = places.Length == 1 ? next.Remove(what) : next.SetItem(what, Array.FindAll(places, p => p != at));
            }
        }

        foreach (var (what, _) in after.Counts)
        {
            if (before.CountOf(what) == 0)
            {
                next = next.SetItem(what, next.TryGetValue(what, out var places) ? [.. places, at] : [at]);
            }
        }

        return ReferenceEquals(next, _places) ? this : new Whereabouts<T>(next);
    }
}

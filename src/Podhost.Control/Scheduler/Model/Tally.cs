namespace Podhost.Control.Scheduler.Model;

/// <summary>How many there are of each of a few different things. Immutable.</summary>
/// <typeparam name="T">What is counted, by value.</typeparam>
internal readonly struct Tally<T> where T : class, IEquatable<T>
{
    private readonly (T What, int Count)[]? _counts;

    private Tally((T, int)[] counts) => _counts = counts;

    /// <summary>Each thing with its number.</summary>
    public ReadOnlySpan<(T What, int Count)> Counts => _counts;

    /// <summary>How many there are of a thing.</summary>
    public int CountOf(T what)
    {
        foreach (var (own, count) in Counts)
        {
            if (own.Equals(what))
            {
                return count;
            }
        }

        return 0;
    }

    public static Tally<T> Of(IEnumerable<T> all) => new([.. all.GroupBy(x => x).Select(g => (g.Key, g.Count()))]);

    /// <summary>One more of a thing.</summary>
    public Tally<T> With(T what)
    {
        var counts = _counts ?? [];
        var at = Array.FindIndex(counts, c => c.What.Equals(what));
        if (at < 0)
        {
            return new Tally<T>([.. counts, (what, 1)]);
        }

        var next = counts.ToArray();
        next[at].Count++;
        return new Tally<T>(next);
    }
}

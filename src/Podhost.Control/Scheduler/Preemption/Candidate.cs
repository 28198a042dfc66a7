using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Preemption;

/// <summary>A node on which room can be made.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Victims">Who must leave, the most important first.</param>
/// <param name="Violations">How many of them a disruption budget wants to keep.</param>
internal sealed record Candidate(string Node, IReadOnlyList<PodView> Victims, int Violations)
{
    /// <summary>The least damage first; the name decides last.</summary>
    public static IComparer<Candidate> ByDamage { get; } = Comparer<Candidate>.Create(Compare);

    private static int Compare(Candidate a, Candidate b)
    {
        int[] order =
        [
            a.Violations.CompareTo(b.Violations),
            a.Victims[0].Priority.CompareTo(b.Victims[0].Priority),
            a.PrioritySum().CompareTo(b.PrioritySum()),
            a.Victims.Count.CompareTo(b.Victims.Count),
            b.EarliestStart().CompareTo(a.EarliestStart()),
            string.CompareOrdinal(a.Node, b.Node),
        ];
        return Array.Find(order, c => c != 0);
    }

    // Shifted as upstream does, so that a negative priority does not make more victims look like less damage.
    private long PrioritySum() => Victims.Sum(v => v.Priority + (long)int.MaxValue + 1);

    private DateTime EarliestStart() => Victims.Where(v => v.Priority == Victims[0].Priority).Min(Importance.StartOf);
}

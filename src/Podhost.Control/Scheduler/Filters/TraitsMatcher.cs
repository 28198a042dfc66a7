using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Asks a question about pods once for each of their traits. For one decision; not thread-safe.</summary>
/// <param name="matches">The question.</param>
internal sealed class TraitsMatcher(Func<PodTraits, bool> matches)
{
    private readonly Dictionary<PodTraits, bool> _answers = [];

    public bool Matches(PodTraits traits)
    {
        if (!_answers.TryGetValue(traits, out var answer))
        {
            _answers.Add(traits, answer = matches(traits));
        }

        return answer;
    }

    /// <summary>Pods of a node that match.</summary>
    public int CountOn(NodeView node)
    {
        var count = 0;
        foreach (var (traits, pods) in node.Traits.Counts)
        {
            count += Matches(traits) ? pods : 0;
        }

        return count;
    }
}

using System.Globalization;
using System.Text;
using k8s.Models;

namespace Podhost.Control.Scheduler.Model;

/// <summary>
/// What a pod asks of its distance to other pods: its affinity and anti-affinity to pods. Equal for all pods of one template, so that an
/// arriving pod is compared once with each of them. Immutable, compared by value.
/// </summary>
internal sealed class PodTermSet : IEquatable<PodTermSet>
{
    // Everything on which a comparison with a term depends, as a text.
    private readonly string _text;
    private readonly int _hash;

    private PodTermSet(PodTraits owner, V1Affinity? affinity)
    {
        Owner = owner;
        Affinity = [.. affinity?.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []];
        AntiAffinity = [.. affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []];
        PreferredAffinity = [.. affinity?.PodAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []];
        PreferredAntiAffinity = [.. affinity?.PodAntiAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []];
        _text = IsEmpty ? "" : Describe();
        _hash = _text.GetHashCode(StringComparison.Ordinal);
    }

    /// <summary>Whose terms they are: its namespace and labels say what some of them mean.</summary>
    public PodTraits Owner { get; }

    /// <summary>Required affinity to pods.</summary>
    public V1PodAffinityTerm[] Affinity { get; }

    /// <summary>Required anti-affinity to pods.</summary>
    public V1PodAffinityTerm[] AntiAffinity { get; }

    /// <summary>Preferred affinity to pods.</summary>
    public V1WeightedPodAffinityTerm[] PreferredAffinity { get; }

    /// <summary>Preferred anti-affinity to pods.</summary>
    public V1WeightedPodAffinityTerm[] PreferredAntiAffinity { get; }

    /// <summary>True where other pods do not matter.</summary>
    public bool IsEmpty => Affinity.Length + AntiAffinity.Length + PreferredAffinity.Length + PreferredAntiAffinity.Length == 0;

    public static PodTermSet Of(V1Pod pod, PodTraits owner) => new(owner, pod.Spec.Affinity);

    public bool Equals(PodTermSet? other) => ReferenceEquals(this, other) || (other is not null && _hash == other._hash && _text == other._text);

    public override bool Equals(object? obj) => Equals(obj as PodTermSet);

    public override int GetHashCode() => _hash;

    private string Describe()
    {
        var text = new StringBuilder(Owner.Namespace);
        foreach (var (kind, terms) in new[] { ('+', Affinity), ('-', AntiAffinity) })
        {
            foreach (var term in terms)
            {
                Append(text.Append('\n').Append(kind), term);
            }
        }

        foreach (var (kind, terms) in new[] { ('+', PreferredAffinity), ('-', PreferredAntiAffinity) })
        {
            foreach (var term in terms)
            {
                Append(text.Append('\n').Append(kind).Append(term.Weight.ToString(CultureInfo.InvariantCulture)), term.PodAffinityTerm);
            }
        }

        return text.ToString();
    }

    private void Append(StringBuilder text, V1PodAffinityTerm term)
    {
        text.Append('|').Append(term.TopologyKey).Append('|').AppendJoin(',', term.Namespaces ?? []);
        Append(text, term.LabelSelector);
        Append(text, term.NamespaceSelector);
        foreach (var keys in new[] { term.MatchLabelKeys, term.MismatchLabelKeys })
        {
            text.Append('|').AppendJoin(',', (keys ?? []).Select(k => Owner.Labels.TryGetValue(k, out var value) ? $"{k}={value}" : k));
        }
    }

    private static void Append(StringBuilder text, V1LabelSelector? selector)
    {
        text.Append(selector is null ? "|!" : "|").AppendJoin(',', (selector?.MatchLabels ?? new Dictionary<string, string>()).Select(l => $"{l.Key}={l.Value}"));
        text.Append('|').AppendJoin(';', (selector?.MatchExpressions ?? []).Select(e => $"{e.Key} {e.OperatorProperty} {string.Join(',', e.Values ?? [])}"));
    }
}

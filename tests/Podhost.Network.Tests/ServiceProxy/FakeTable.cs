namespace Podhost.Network.Tests.ServiceProxy;

/// <summary>A table that obeys scripts as the kernel does, for one table: what is not there cannot be flushed, deleted or gone to; what is in use stays.</summary>
internal sealed class FakeTable
{
    private readonly SortedDictionary<string, List<string>> _chains = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _sets = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SortedDictionary<string, string>> _elements = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Chains => [.. _chains.Keys];

    public IReadOnlyList<string> Sets => [.. _sets.Keys];

    public void Apply(string script)
    {
        foreach (var line in script.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', 6);
            switch (words[0] + " " + words[1])
            {
                case "add table":
                    break;
                case "delete table":
                    _chains.Clear();
                    _sets.Clear();
                    _elements.Clear();
                    break;
                case "flush table":
                    _chains.Values.ToList().ForEach(rules => rules.Clear());
                    break;
                case "add chain":
                    _chains.TryAdd(words[4], []);
                    break;
                case "flush chain":
                    _chains[words[4]].Clear();
                    break;
                case "delete chain":
                    Assert.Empty(_chains[words[4]]);
                    Assert.DoesNotContain(_chains.Values.SelectMany(r => r), rule => Uses(rule, words[4]));
                    Assert.DoesNotContain(_elements.Values.SelectMany(e => e.Values), verdict => verdict == $"goto {words[4]}");
                    _chains.Remove(words[4]);
                    break;
                case "add rule":
                    _chains[words[4]].Add(words[5]);
                    break;
                case "add set" or "add map":
                    Assert.Equal(words[5], _sets.TryGetValue(words[4], out var old) ? old : words[5]);
                    _sets[words[4]] = words[5];
                    _elements.TryAdd(words[4], new(StringComparer.Ordinal));
                    break;
                case "flush set" or "flush map":
                    _elements[words[4]].Clear();
                    break;
                case "delete set":
                    Assert.DoesNotContain(_chains.Values.SelectMany(r => r), rule => Uses(rule, "@" + words[4]));
                    Assert.True(_sets.Remove(words[4]));
                    _elements.Remove(words[4]);
                    break;
                case "add element":
                    Elements(words[5]).ForEach(e => _elements[words[4]].Add(e.Key, e.Verdict));
                    break;
                case "delete element":
                    Elements(words[5]).ForEach(e => Assert.True(_elements[words[4]].Remove(e.Key), line));
                    break;
                default:
                    Assert.Fail(line);
                    break;
            }
        }

        CheckReferences();
    }

    /// <summary>All that is in it.</summary>
    public override string ToString() => string.Join('\n', [
        .. _sets.Select(s => $"{s.Key} {s.Value}"),
        .. _elements.SelectMany(s => s.Value.Select(e => $"{s.Key} {e.Key} {e.Value}")),
        .. _chains.SelectMany(c => c.Value.Prepend("").Select(r => $"{c.Key} {r}"))]);

    private void CheckReferences()
    {
        var targets = _elements.Values.SelectMany(e => e.Values)
            .Concat(_chains.Values.SelectMany(r => r).SelectMany(r => r.Split(", ")))
            .Select(text => text.Split(' ').SkipWhile(w => w is not ("goto" or "jump")).Skip(1).FirstOrDefault())
            .OfType<string>();
        Assert.All(targets, target => Assert.Contains(target, _chains.Keys));
        var sets = _chains.Values.SelectMany(r => r).SelectMany(r => r.Split(' ')).Where(w => w.StartsWith('@')).Select(w => w[1..]);
        Assert.All(sets, set => Assert.Contains(set, _sets.Keys));
    }

    private static bool Uses(string rule, string name) => rule.Split(' ', ',').Contains(name);

    private static List<(string Key, string Verdict)> Elements(string text) =>
    [
        .. text.Trim('{', '}', ' ').Split(", ").Select(e => e.Split(" : ")).Select(e => (e[0], e.Length > 1 ? e[1] : "")),
    ];
}

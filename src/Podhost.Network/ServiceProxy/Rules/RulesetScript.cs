using System.Text;
using Podhost.Linux.Nftables;

namespace Podhost.Network.ServiceProxy.Rules;

/// <summary>Scripts for nft: each is one transaction. Pure.</summary>
internal static class RulesetScript
{
    /// <summary>From one ruleset to another; empty where they are the same.</summary>
    public static string Change(NftTable table, Ruleset from, Ruleset to)
    {
        var text = new StringBuilder();
        var chains = to.Chains.Values.Where(c => !from.Chains.TryGetValue(c.Name, out var old) || old != c).OrderBy(c => c.Name, StringComparer.Ordinal).ToList();
        foreach (var set in to.Sets.Values.Where(s => !from.Sets.ContainsKey(s.Name)).OrderBy(s => s.Name, StringComparer.Ordinal))
        {
            Declare(text, table, set);
        }

        foreach (var chain in chains.Where(c => !from.Chains.ContainsKey(c.Name)))
        {
            Declare(text, table, chain);
        }

        foreach (var chain in chains)
        {
            Fill(text, table, chain, isNew: !from.Chains.ContainsKey(chain.Name));
        }

        Delete(text, table, from.Elements.Where(e => !to.Elements.TryGetValue(e.Key, out var now) || now != e.Value));
        Insert(text, table, to.Elements.Where(e => !from.Elements.TryGetValue(e.Key, out var old) || old != e.Value));
        Drop(text, table, from.Chains.Keys.Where(c => !to.Chains.ContainsKey(c)), from.Sets.Values.Where(s => !to.Sets.ContainsKey(s.Name)).Select(s => s.Name));
        return text.ToString();
    }

    /// <summary>
    /// Makes a table that an earlier run left equal to a ruleset, whatever its contents: only names are needed. What the kernel remembers of
    /// clients' affinity stays. The table may be absent.
    /// </summary>
    public static string Repair(NftTable table, NftTableNames? present, Ruleset to)
    {
        var text = new StringBuilder($"add table {table}\nflush table {table}\n");
        var (chains, sets) = (present?.Chains ?? [], present?.Sets ?? []);
        foreach (var set in to.Sets.Values.OrderBy(s => s.Name, StringComparer.Ordinal))
        {
            Declare(text, table, set);
            if (sets.Contains(set.Name) && !set.IsDynamic)
            {
                text.Append($"flush {set.Kind} {table} {set.Name}\n");
            }
        }

        var ordered = to.Chains.Values.OrderBy(c => c.Name, StringComparer.Ordinal).ToList();
        ordered.ForEach(chain => Declare(text, table, chain));
        ordered.ForEach(chain => Fill(text, table, chain, isNew: true));
        Insert(text, table, to.Elements);
        Drop(text, table, chains.Where(c => !to.Chains.ContainsKey(c)), sets.Where(s => !to.Sets.ContainsKey(s)));
        return text.ToString();
    }

    /// <summary>Replaces the table whole, in one transaction.</summary>
    public static string Replace(NftTable table, Ruleset to) => NftNames.Remove(table.Name, table.Family) + Repair(table, null, to);

    private static void Declare(StringBuilder text, NftTable table, NftSet set) => text.Append($"add {set.Kind} {table} {set.Name} {{ {set.Declaration} }}\n");

    private static void Declare(StringBuilder text, NftTable table, NftChain chain) =>
        text.Append(chain.Hook is null ? $"add chain {table} {chain.Name}\n" : $"add chain {table} {chain.Name} {{ {chain.Hook} }}\n");

    private static void Fill(StringBuilder text, NftTable table, NftChain chain, bool isNew)
    {
        if (!isNew)
        {
            text.Append($"flush chain {table} {chain.Name}\n");
        }

        foreach (var rule in chain.Rules.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            text.Append($"add rule {table} {chain.Name} {rule}\n");
        }
    }

    private static void Delete(StringBuilder text, NftTable table, IEnumerable<KeyValuePair<ElementKey, string>> elements)
    {
        foreach (var set in BySet(elements))
        {
            text.Append($"delete element {table} {set.Key} {{ {string.Join(", ", set.Select(e => e.Key.Key))} }}\n");
        }
    }

    private static void Insert(StringBuilder text, NftTable table, IEnumerable<KeyValuePair<ElementKey, string>> elements)
    {
        foreach (var set in BySet(elements))
        {
            text.Append($"add element {table} {set.Key} {{ {string.Join(", ", set.Select(e => e.Value.Length == 0 ? e.Key.Key : $"{e.Key.Key} : {e.Value}"))} }}\n");
        }
    }

    private static IEnumerable<IGrouping<string, KeyValuePair<ElementKey, string>>> BySet(IEnumerable<KeyValuePair<ElementKey, string>> elements) => elements
        .OrderBy(e => e.Key.Set, StringComparer.Ordinal).ThenBy(e => e.Key.Key, StringComparer.Ordinal)
        .GroupBy(e => e.Key.Set);

    // Chains may go to each other and to sets: empty ones hold nothing back.
    private static void Drop(StringBuilder text, NftTable table, IEnumerable<string> chains, IEnumerable<string> sets)
    {
        var gone = chains.Order(StringComparer.Ordinal).ToList();
        gone.ForEach(chain => text.Append($"flush chain {table} {chain}\n"));
        gone.ForEach(chain => text.Append($"delete chain {table} {chain}\n"));
        sets.Order(StringComparer.Ordinal).ToList().ForEach(set => text.Append($"delete set {table} {set}\n"));
    }
}

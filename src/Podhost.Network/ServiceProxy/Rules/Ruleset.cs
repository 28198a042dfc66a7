namespace Podhost.Network.ServiceProxy.Rules;

/// <summary>A chain.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Hook">What follows the name where it is a base chain: its type, hook and priority; else null.</param>
/// <param name="Rules">Its rules, one a line.</param>
internal sealed record NftChain(string Name, string? Hook, string Rules);

/// <summary>A set or map.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">set or map.</param>
/// <param name="Declaration">Its type and flags.</param>
/// <param name="IsDynamic">The kernel fills it (session affinity): its elements are not ours.</param>
internal sealed record NftSet(string Name, string Kind, string Declaration, bool IsDynamic = false);

/// <summary>An element of a set or map.</summary>
/// <param name="Set">Where it is.</param>
/// <param name="Key">Its key.</param>
internal readonly record struct ElementKey(string Set, string Key);

/// <summary>Everything that the table has to hold.</summary>
internal sealed class Ruleset
{
    /// <summary>Sets and maps by name.</summary>
    public Dictionary<string, NftSet> Sets { get; } = new(StringComparer.Ordinal);

    /// <summary>Chains by name.</summary>
    public Dictionary<string, NftChain> Chains { get; } = new(StringComparer.Ordinal);

    /// <summary>Elements with their verdict; empty in a set.</summary>
    public Dictionary<ElementKey, string> Elements { get; } = [];

    /// <summary>Adds what a part asks for. An element that is there stays as it is: two Services cannot have one address and port.</summary>
    public void Add(RulesetPart part)
    {
        foreach (var set in part.Sets)
        {
            Sets.TryAdd(set.Name, set);
        }

        foreach (var chain in part.Chains)
        {
            Chains.TryAdd(chain.Name, chain);
        }

        foreach (var (key, value) in part.Elements)
        {
            Elements.TryAdd(key, value);
        }
    }
}

/// <summary>What one Service adds.</summary>
internal sealed class RulesetPart
{
    /// <summary>Affinity sets.</summary>
    public List<NftSet> Sets { get; } = [];

    /// <summary>Chains.</summary>
    public List<NftChain> Chains { get; } = [];

    /// <summary>Elements of the shared maps and sets.</summary>
    public List<KeyValuePair<ElementKey, string>> Elements { get; } = [];

    /// <summary>Where its UDP traffic is taken up, and who may serve it.</summary>
    public List<UdpFrontend> Udp { get; } = [];

    public void Element(string set, string key, string verdict = "") => Elements.Add(new(new ElementKey(set, key), verdict));
}

/// <summary>An address or node port that takes UDP for a Service.</summary>
/// <param name="Address">The address; null for every address of the node.</param>
/// <param name="Port">The port.</param>
/// <param name="Targets">address:port of all endpoints that get traffic, sorted.</param>
internal sealed record UdpFrontend(string? Address, int Port, string Targets);

using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Runtime.Network.Cni;

/// <summary>A CNI network: plugins that run one after another (CNI specification 1.1.0, section 1).</summary>
/// <param name="Name">The network's name.</param>
/// <param name="Version">The version that requests and results have.</param>
/// <param name="DisableCheck">No CHECK is made.</param>
/// <param name="DisableGc">No GC is made: others use the network too.</param>
/// <param name="Plugins">The configuration of each plugin, in order.</param>
internal sealed record CniConfiguration(string Name, string Version, bool DisableCheck, bool DisableGc, IReadOnlyList<JsonObject> Plugins)
{
    /// <summary>The versions whose requests and results are understood.</summary>
    internal static IReadOnlyList<string> Versions { get; } = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

    /// <summary>CHECK came with 0.4.0.</summary>
    internal bool HasCheck => !DisableCheck && !Version.StartsWith("0.3.", StringComparison.Ordinal);

    /// <summary>STATUS came with 1.1.0.</summary>
    internal bool HasStatus => Version == "1.1.0";

    /// <summary>GC came with 1.1.0.</summary>
    internal bool HasGc => !DisableGc && Version == "1.1.0";

    /// <summary>Some plugin takes a capability as runtimeConfig.</summary>
    internal bool HasCapability(string name) => Plugins.Any(plugin => Declares(plugin, name));

    /// <summary>A plugin declares a capability.</summary>
    internal static bool Declares(JsonObject plugin, string capability) =>
        plugin["capabilities"] is JsonObject all && all[capability] is JsonValue value && value.TryGetValue<bool>(out var declared) && declared;

    /// <summary>Parses a configuration list, or a configuration of a single plugin, which is a list of one.</summary>
    /// <exception cref="FormatException">It is no usable configuration; the message says why.</exception>
    internal static CniConfiguration Parse(string json)
    {
        JsonObject root;
        try
        {
            root = JsonNode.Parse(json) as JsonObject ?? throw new FormatException("not an object");
        }
        catch (JsonException failure)
        {
            throw new FormatException(failure.Message);
        }

        var plugins = root.ContainsKey("plugins") ? List(root["plugins"]) : [(JsonObject)root.DeepClone()];
        if (plugins.Count == 0 || plugins.Any(plugin => Text(plugin, "type") is not { Length: > 0 } type || type.Contains('/', StringComparison.Ordinal)))
        {
            throw new FormatException("plugins: every plugin has a type, and there is at least one");
        }

        var version = Text(root, "cniVersion") ?? "0.1.0";
        if (!Versions.Contains(version))
        {
            throw new FormatException($"cniVersion: Unsupported value: \"{version}\": supported values: {string.Join(", ", Versions)}");
        }

        return Text(root, "name") is { Length: > 0 } name
            ? new CniConfiguration(name, version, Flag(root["disableCheck"]), Flag(root["disableGC"]), plugins)
            : throw new FormatException("name: Required value");
    }

    /// <summary>The configuration as one document, which <see cref="Parse"/> reads again.</summary>
    internal string Serialize() => new JsonObject
    {
        ["cniVersion"] = Version,
        ["name"] = Name,
        ["disableCheck"] = DisableCheck,
        ["disableGC"] = DisableGc,
        ["plugins"] = new JsonArray([.. Plugins.Select(plugin => plugin.DeepClone())]),
    }.ToJsonString();

    private static List<JsonObject> List(JsonNode? node) => node is JsonArray list && list.All(item => item is JsonObject)
        ? [.. list.Select(item => (JsonObject)item!.DeepClone())]
        : throw new FormatException("plugins: must be a list of objects");

    private static string? Text(JsonObject from, string name) => from[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    // The specification allows both a boolean and its text.
    private static bool Flag(JsonNode? node) =>
        node is JsonValue value && ((value.TryGetValue<bool>(out var flag) && flag) || (value.TryGetValue<string>(out var text) && text == "true"));
}

using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Podhost.Api.Yaml;

/// <summary>Reads one document from parser events.</summary>
internal sealed class YamlNodeReader(IParser parser, ICollection<string>? duplicates)
{
    private const int MaxDepth = 100;

    // An alias copies its anchor. Nested aliases multiply; a manifest never needs this many nodes from aliases.
    private const int MaxAliasedNodes = 100_000;

    private readonly Dictionary<AnchorName, JsonNode?> anchors = [];
    private int aliasedNodes;

    public JsonNode? Read() => Read(0);

    private JsonNode? Read(int depth)
    {
        if (depth > MaxDepth)
        {
            throw Fault(parser.Current!, $"nested deeper than {MaxDepth} levels");
        }

        switch (parser.Current)
        {
            case AnchorAlias alias:
                parser.MoveNext();
                return Resolve(alias);
            case Scalar scalar:
                parser.MoveNext();
                return Remember(scalar, YamlScalars.Resolve(scalar));
            case SequenceStart sequence:
                parser.MoveNext();
                return Remember(sequence, ReadSequence(depth));
            case MappingStart mapping:
                parser.MoveNext();
                return Remember(mapping, ReadMapping(depth));
            default:
                throw Fault(parser.Current!, "a value is expected");
        }
    }

    private JsonArray ReadSequence(int depth)
    {
        var list = new JsonArray();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            list.Add(Read(depth + 1));
        }

        return list;
    }

    private JsonObject ReadMapping(int depth)
    {
        var obj = new JsonObject();
        var merged = new List<JsonObject>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var at = parser.Current!;
            var isMerge = at is Scalar { Value: "<<", IsPlainImplicit: true, Style: ScalarStyle.Plain };
            var key = isMerge ? "<<" : ReadKey(depth);
            if (isMerge)
            {
                parser.MoveNext();
                merged.AddRange(MergeSources(Read(depth + 1), at));
            }
            else
            {
                if (obj.ContainsKey(key))
                {
                    Duplicate(at, key);
                }

                obj[key] = Read(depth + 1);
            }
        }

        foreach (var (key, value) in merged.SelectMany(m => m))
        {
            if (!obj.ContainsKey(key))
            {
                obj[key] = value?.DeepClone();
            }
        }

        return obj;
    }

    private void Duplicate(ParsingEvent at, string key)
    {
        var message = $"key \"{key}\" already set in map";
        if (duplicates is null)
        {
            throw Fault(at, message);
        }

        duplicates.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"line {at.Start.Line}: {message}"));
    }

    private string ReadKey(int depth)
    {
        var at = parser.Current!;
        return Read(depth + 1) switch
        {
            JsonValue v when v.TryGetValue(out string? s) => s,
            JsonValue v => v.ToJsonString(),
            null => "null",
            _ => throw Fault(at, "a key must be a scalar"),
        };
    }

    private static IEnumerable<JsonObject> MergeSources(JsonNode? source, ParsingEvent at) => source switch
    {
        JsonObject obj => [obj],
        JsonArray list when list.All(i => i is JsonObject) => list.Cast<JsonObject>(),
        _ => throw Fault(at, "map merge requires map or sequence of maps as the value"),
    };

    private JsonNode? Resolve(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value, out var node))
        {
            throw Fault(alias, $"unknown anchor '{alias.Value}' referenced");
        }

        aliasedNodes += Count(node);
        return aliasedNodes <= MaxAliasedNodes ? node?.DeepClone() : throw Fault(alias, "document contains excessive aliasing");
    }

    private JsonNode? Remember(NodeEvent at, JsonNode? node)
    {
        if (!at.Anchor.IsEmpty)
        {
            anchors[at.Anchor] = node?.DeepClone();
        }

        return node;
    }

    private static int Count(JsonNode? node) => node switch
    {
        JsonObject obj => 1 + obj.Sum(p => Count(p.Value)),
        JsonArray list => 1 + list.Sum(Count),
        _ => 1,
    };

    private static YamlException Fault(ParsingEvent at, string message) => new(message, (int)at.Start.Line);
}

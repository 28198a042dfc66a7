using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Podhost.Api.Yaml;

/// <summary>YAML to JSON, with the meaning that sigs.k8s.io/yaml gives it.</summary>
/// <remarks>
/// YAML 1.1: plain <c>yes</c>, <c>on</c> and <c>y</c> are booleans, <c>0777</c> is octal, <c>&lt;&lt;</c> merges. Keys become strings.
/// A key that occurs twice in one mapping is refused, unless the caller collects such keys: then the last value stays, as upstream has it.
/// </remarks>
public static class YamlReader
{
    /// <summary>The documents of a stream; empty documents are left out.</summary>
    /// <exception cref="YamlException">Malformed YAML, a duplicate key, or more aliases than a manifest needs.</exception>
    /// <param name="yaml">The text.</param>
    /// <param name="duplicates">Collects keys that occur twice, as <c>line 9: key "foo" already set in map</c>; null refuses them.</param>
    public static IReadOnlyList<JsonNode> ReadAll(string yaml, ICollection<string>? duplicates = null)
    {
        try
        {
            return ReadDocuments(new GuardedParser(new StringReader(yaml)), duplicates);
        }
        catch (YamlDotNet.Core.YamlException e)
        {
            throw new YamlException(e.InnerException is YamlDotNet.Core.YamlException inner ? inner.Message : e.Message, (int)e.Start.Line, e);
        }
    }

    /// <summary>The one object of a stream.</summary>
    /// <exception cref="YamlException">As <see cref="ReadAll"/>, and where the stream holds no object or more than one document.</exception>
    /// <param name="yaml">The text.</param>
    /// <param name="duplicates">As of <see cref="ReadAll"/>.</param>
    public static JsonObject ReadObject(string yaml, ICollection<string>? duplicates = null)
    {
        var documents = ReadAll(yaml, duplicates);
        return documents switch
        {
            [JsonObject obj] => obj,
            [] => throw new YamlException("the document is empty", 0),
            [_] => throw new YamlException("the document is not a mapping", 1),
            _ => throw new YamlException("one document is expected, not " + documents.Count, 0),
        };
    }

    /// <summary>The one object of UTF-8 YAML.</summary>
    /// <exception cref="YamlException">As <see cref="ReadObject(string, ICollection{string})"/>.</exception>
    public static JsonObject ReadObject(ReadOnlySpan<byte> utf8) => ReadObject(System.Text.Encoding.UTF8.GetString(utf8));

    private static List<JsonNode> ReadDocuments(GuardedParser parser, ICollection<string>? duplicates)
    {
        var documents = new List<JsonNode>();
        parser.Consume<StreamStart>();
        while (!parser.TryConsume<StreamEnd>(out _))
        {
            parser.Consume<DocumentStart>();
            if (new YamlNodeReader(parser, duplicates).Read() is { } node)
            {
                documents.Add(node);
            }

            parser.Consume<DocumentEnd>();
        }

        return documents;
    }
}

using System.Text.Json.Nodes;

namespace Podhost.Api.Yaml;

/// <summary>YAML to JSON, with the meaning that sigs.k8s.io/yaml gives it.</summary>
public static class YamlReader
{
    /// <summary>The documents of a stream; empty documents are left out.</summary>
    /// <exception cref="YamlException">Malformed YAML, a duplicate key, or more aliases than a manifest needs.</exception>
    public static IReadOnlyList<JsonNode> ReadAll(string yaml) => throw new NotImplementedException();

    /// <summary>The one object of a stream.</summary>
    /// <exception cref="YamlException">As <see cref="ReadAll"/>, and where the stream holds no object or more than one document.</exception>
    public static JsonObject ReadObject(string yaml) => throw new NotImplementedException();

    /// <summary>The one object of UTF-8 YAML.</summary>
    /// <exception cref="YamlException">As <see cref="ReadObject(string)"/>.</exception>
    public static JsonObject ReadObject(ReadOnlySpan<byte> utf8) => ReadObject(System.Text.Encoding.UTF8.GetString(utf8));
}

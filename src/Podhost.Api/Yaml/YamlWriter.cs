using System.Text.Json.Nodes;

namespace Podhost.Api.Yaml;

/// <summary>JSON to YAML in block style, as kubectl prints it.</summary>
public static class YamlWriter
{
    /// <summary>The YAML of one document, ending with a line feed.</summary>
    public static string Write(JsonNode? node) => throw new NotImplementedException();
}

using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Api.Validation;

namespace Podhost.Api.CustomResources;

/// <summary>Values that are Kubernetes objects themselves (x-kubernetes-embedded-resource): they say what they are.</summary>
internal static class EmbeddedResources
{
    /// <summary>Faults of all embedded objects below a value.</summary>
    public static IEnumerable<FieldError> Faults(SchemaNode schema, JsonNode? value, string path)
    {
        if (value is JsonArray list && schema.Items is { } items)
        {
            return list.SelectMany((item, i) => Faults(items, item, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]")));
        }

        if (value is not JsonObject obj)
        {
            return [];
        }

        var below = obj.SelectMany(p => schema.Member(p.Key) is { } field ? Faults(field, p.Value, path.Length == 0 ? p.Key : $"{path}.{p.Key}") : []);
        return schema.IsEmbeddedResource ? Own(obj, path).Concat(below) : below;
    }

    private static IEnumerable<FieldError> Own(JsonObject obj, string path)
    {
        foreach (var name in (string[])["apiVersion", "kind"])
        {
            if (SchemaNode.Text(obj, name).Length == 0)
            {
                yield return FieldError.Required($"{path}.{name}", "must not be empty");
            }
        }
    }
}

using System.Globalization;
using System.Text.Json.Nodes;

namespace Podhost.Api.CustomResources;

/// <summary>Takes fields out of custom objects that their schema does not know. Changes the object in place.</summary>
/// <remarks>Upstream: apiextensions-apiserver pkg/apiserver/schema/pruning.</remarks>
internal sealed class Pruning(ICollection<string>? removed)
{
    /// <summary>Prunes a whole object.</summary>
    /// <param name="obj">The object.</param>
    /// <param name="schema">Its schema.</param>
    /// <param name="removed">Collects the paths of what was removed, or null.</param>
    public static void Prune(JsonObject obj, SchemaNode schema, ICollection<string>? removed = null) =>
        new Pruning(removed).PruneObject(obj, schema, "", isResource: true);

    private void PruneValue(JsonNode? value, SchemaNode? schema, string path)
    {
        switch (value)
        {
            case JsonObject obj:
                PruneObject(obj, schema, path, schema?.IsEmbeddedResource == true);
                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    PruneValue(list[i], schema?.Items ?? Unknown(schema), string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"));
                }

                break;
        }
    }

    private void PruneObject(JsonObject obj, SchemaNode? schema, string path, bool isResource)
    {
        foreach (var name in obj.Select(p => p.Key).ToList())
        {
            var below = path.Length == 0 ? name : $"{path}.{name}";
            if (isResource && name is "apiVersion" or "kind" or "metadata")
            {
                continue;
            }

            if (schema?.Properties.GetValueOrDefault(name) is { } declared)
            {
                PruneValue(obj[name], declared, below);
            }
            else if (schema?.AllowsFreeKeys == true)
            {
                PruneValue(obj[name], schema.AdditionalProperties ?? Unknown(schema), below);
            }
            else if (schema?.PreservesUnknown != true)
            {
                obj.Remove(name);
                removed?.Add(below);
            }
        }
    }

    // What is below a value that is kept without a schema of its own is kept as well.
    private static SchemaNode? Unknown(SchemaNode? schema) => schema?.PreservesUnknown == true ? Anything : null;

    private static readonly SchemaNode Anything = SchemaNode.Read(new JsonObject { ["x-kubernetes-preserve-unknown-fields"] = true });
}

using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.Api.OpenApi;

/// <summary>The types that definitions add to the catalog's: each custom kind and its list, by name.</summary>
internal sealed class CustomSchemas(IEnumerable<ResourceInfo> resources)
{
    private readonly Dictionary<string, ResourceInfo> kinds = resources.Where(r => r.Custom is not null)
        .GroupBy(r => r.SchemaName, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);

    public bool Contains(string name) => kinds.ContainsKey(name) || kinds.ContainsKey(KindOfList(name));

    /// <summary>The schema of a name; null for types of the catalog.</summary>
    public JsonObject? Find(string name, Dialect dialect) =>
        kinds.TryGetValue(name, out var kind) ? CustomSchemaDocument.OfObject(kind, dialect)
        : kinds.TryGetValue(KindOfList(name), out kind) ? CustomSchemaDocument.OfList(kind, dialect)
        : null;

    private static string KindOfList(string name) => name.EndsWith("List", StringComparison.Ordinal) ? name[..^4] : name;
}

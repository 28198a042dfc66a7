using System.Collections.Concurrent;

namespace Podhost.Api.Schema;

/// <summary>The object types of the v1 API.</summary>
/// <remarks>
/// The data is a resource of the assembly, written by tools/Podhost.SchemaGen. The first look-up builds an index of names;
/// a type is parsed when it is first asked for, and kept.
/// </remarks>
public static class SchemaCatalog
{
    private static readonly Lazy<SchemaData> Data = new(() => SchemaData.Open("schema.tsv"));
    private static readonly ConcurrentDictionary<string, SchemaType> Types = new(StringComparer.Ordinal);

    /// <summary>Names of all types, in alphabetical order.</summary>
    public static IEnumerable<string> Names => Data.Value.Names.Order(StringComparer.Ordinal);

    /// <summary>The type of a name such as <c>io.k8s.api.core.v1.Pod</c>, or null.</summary>
    public static SchemaType? Find(string schemaName)
    {
        if (Types.TryGetValue(schemaName, out var type))
        {
            return type;
        }

        return Data.Value.Find(schemaName) is { } block ? Types.GetOrAdd(schemaName, SchemaParser.Parse(schemaName, block)) : null;
    }

    /// <summary>The type of a name that must exist.</summary>
    /// <exception cref="ArgumentException">There is no such type: a fault of the caller or of the generated data.</exception>
    public static SchemaType Get(string schemaName) =>
        Find(schemaName) ?? throw new ArgumentException($"no type {schemaName} in the schema catalog", nameof(schemaName));
}

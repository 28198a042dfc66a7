namespace Podhost.Api.Schema;

/// <summary>An object type of the API.</summary>
public sealed class SchemaType
{
    private readonly Dictionary<string, SchemaField> byName;

    internal SchemaType(string name, IReadOnlyList<SchemaField> fields)
    {
        Name = name;
        Fields = fields;
        byName = fields.ToDictionary(f => f.Name, StringComparer.Ordinal);
    }

    /// <summary>Upstream's name, for example <c>io.k8s.api.core.v1.Pod</c>.</summary>
    public string Name { get; }

    /// <summary>The last part of the name, which is Go's name of the struct.</summary>
    public string ShortName => Name[(Name.LastIndexOf('.') + 1)..];

    /// <summary>All fields, in upstream's alphabetical order.</summary>
    public IReadOnlyList<SchemaField> Fields { get; }

    /// <summary>True where server-side apply owns values of the type as a whole (x-kubernetes-map-type: atomic on the type).</summary>
    public bool IsAtomic { get; internal init; }

    /// <summary>What fields are that are not declared; null where there are none.</summary>
    public SchemaValue? Rest { get; internal init; }

    /// <summary>True for kinds that are no structs of Go: nothing is there unless it was set.</summary>
    public bool IsUnstructured { get; internal init; }

    /// <summary>The field of a JSON name, or null.</summary>
    public SchemaField? Field(string name) => byName.GetValueOrDefault(name);
}

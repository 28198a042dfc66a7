using System.Text.Json;
using Podhost.Api.Schema;

namespace Podhost.Api.OpenApi;

/// <summary>Writes types as JSON schemas with Kubernetes' extensions.</summary>
internal sealed class SchemaDocumentWriter(
    Utf8JsonWriter json, Dialect dialect, SchemaDescriptions descriptions, IReadOnlyDictionary<string, List<KindName>> kinds, CustomSchemas custom)
{
    private string Prefix => dialect == Dialect.V2 ? "#/definitions/" : "#/components/schemas/";

    /// <summary>Writes the types as members of the current object.</summary>
    public void WriteAll(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (NamedScalars.All.Contains(name))
            {
                NamedScalars.Write(json, name, dialect);
            }
            else if (custom.Find(name, dialect) is { } schema)
            {
                json.WritePropertyName(name);
                schema.WriteTo(json);
            }
            else
            {
                WriteType(SchemaCatalog.Get(name));
            }
        }
    }

    /// <summary>Writes a schema that is a reference, as a value.</summary>
    public void WriteReference(string name)
    {
        json.WriteStartObject();
        json.WriteString("$ref", Prefix + name);
        json.WriteEndObject();
    }

    private void WriteType(SchemaType type)
    {
        var texts = descriptions.Of(type.Name);
        json.WriteStartObject(type.Name);
        WriteText("description", texts.GetValueOrDefault("", ""));
        json.WriteString("type", "object");
        WriteStrings("required", type.Fields.Where(f => f.Required).Select(f => f.Name));
        if (type.Fields.Count > 0)
        {
            json.WriteStartObject("properties");
            foreach (var field in type.Fields)
            {
                WriteField(field, texts.GetValueOrDefault(field.Name, ""));
            }

            json.WriteEndObject();
        }

        WriteKinds(type.Name);
        WriteText("x-kubernetes-map-type", type.IsAtomic ? "atomic" : "");
        json.WriteEndObject();
    }

    private void WriteField(SchemaField field, string description)
    {
        json.WriteStartObject(field.Name);
        WriteText("description", description);
        if (ReferenceOf(field.Value, field.Name) is { } reference)
        {
            WriteFieldReference(reference, hasSiblings: true);
        }
        else
        {
            WriteValue(field.Value, field.Name);
        }

        if (field.Default is { } text)
        {
            json.WritePropertyName("default");
            json.WriteRawValue(text);
        }

        WriteExtensions(field);
        json.WriteEndObject();
    }

    // In version 3 a reference must stand alone, so it is wrapped where something stands beside it.
    private void WriteFieldReference(string reference, bool hasSiblings)
    {
        if (dialect == Dialect.V3 && hasSiblings)
        {
            json.WriteStartArray("allOf");
            WriteReference(reference);
            json.WriteEndArray();
        }
        else
        {
            json.WriteString("$ref", Prefix + reference);
        }
    }

    private void WriteValue(SchemaValue value, string field)
    {
        switch (value.Kind)
        {
            case SchemaKind.List:
                json.WriteString("type", "array");
                WriteNested("items", value.Item!, field);
                break;
            case SchemaKind.Map:
                json.WriteString("type", "object");
                WriteNested("additionalProperties", value.Item!, field);
                break;
            default:
                var (type, format) = ScalarOf(value);
                json.WriteString("type", type);
                WriteText("format", format);
                break;
        }
    }

    private void WriteNested(string name, SchemaValue value, string field)
    {
        json.WriteStartObject(name);
        if (ReferenceOf(value, field) is { } reference)
        {
            WriteFieldReference(reference, hasSiblings: false);
        }
        else
        {
            WriteValue(value, field);
        }

        json.WriteEndObject();
    }

    private static (string Type, string Format) ScalarOf(SchemaValue value) => value.Kind switch
    {
        SchemaKind.Integer => ("integer", value.Format),
        SchemaKind.Number => ("number", value.Format),
        SchemaKind.Boolean => ("boolean", ""),
        SchemaKind.Bytes => ("string", "byte"),
        _ => ("string", ""),
    };

    private static string? ReferenceOf(SchemaValue value, string field) => value.Type?.Name ?? NamedScalars.NameOf(value, field);

    private void WriteExtensions(SchemaField field)
    {
        WriteStrings("x-kubernetes-list-map-keys", field.ListMapKeys);
        WriteText("x-kubernetes-list-type", field.DeclaredListType);
        WriteText("x-kubernetes-map-type", field.DeclaredMapType);
        WriteText("x-kubernetes-patch-merge-key", field.MergeKey);
        WriteText("x-kubernetes-patch-strategy", field.PatchStrategy);
    }

    private void WriteKinds(string type)
    {
        if (!kinds.TryGetValue(type, out var list))
        {
            return;
        }

        json.WriteStartArray("x-kubernetes-group-version-kind");
        foreach (var kind in list)
        {
            WriteKind(json, kind);
        }

        json.WriteEndArray();
    }

    public static void WriteKind(Utf8JsonWriter json, KindName kind)
    {
        json.WriteStartObject();
        json.WriteString("group", kind.Group);
        json.WriteString("kind", kind.Kind);
        json.WriteString("version", kind.Version);
        json.WriteEndObject();
    }

    private void WriteText(string name, string text)
    {
        if (text.Length > 0)
        {
            json.WriteString(name, text);
        }
    }

    private void WriteStrings(string name, IEnumerable<string> values)
    {
        var list = values.ToList();
        if (list.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        list.ForEach(json.WriteStringValue);
        json.WriteEndArray();
    }
}

using System.Reflection;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Podhost.SchemaGen;

/// <summary>Reads the models by reflection and keeps those that the product's kinds reach.</summary>
internal sealed class ModelReader
{
    private readonly Facts facts;
    private readonly XmlDocs docs = new(Path.Combine(AppContext.BaseDirectory, "KubernetesClient.Aot.xml"));
    private readonly Dictionary<Type, string> names;
    private readonly Dictionary<Type, TypeModel> read = [];

    private ModelReader(Facts facts)
    {
        this.facts = facts;
        names = SchemaNames.OfAllModels();
    }

    public static IReadOnlyList<TypeModel> Read(Facts facts)
    {
        var reader = new ModelReader(facts);
        foreach (var root in Roots.Types(reader.names))
        {
            reader.ReadType(root);
        }

        return [.. reader.read.Values];
    }

    private void ReadType(Type type)
    {
        if (read.ContainsKey(type))
        {
            return;
        }

        var name = names[type];
        read[type] = new TypeModel(name, "", false, []); // Recursive types end here.
        var fields = SchemaNames.Fields(type).Select(p => ReadField(type, name, p)).OrderBy(f => f.Name, StringComparer.Ordinal).ToList();
        read[type] = new TypeModel(name, docs.Of("T:" + type.FullName), facts.IsAtomic(name), fields);
    }

    private FieldModel ReadField(Type type, string typeName, PropertyInfo property)
    {
        var json = property.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name;
        var notation = facts.IsMicroTime(type.Name, json) ? "microTime" : Notation(property.PropertyType);
        return new FieldModel(
            json,
            notation,
            facts.IsRequired(type.Name, json),
            docs.Of($"P:{type.FullName}.{property.Name}"),
            facts.Of(typeName, json));
    }

    private string Notation(Type type)
    {
        var t = Nullable.GetUnderlyingType(type) ?? type;
        if (t == typeof(byte[]))
        {
            return "bytes";
        }

        if (t.IsGenericType)
        {
            var arguments = t.GetGenericArguments();
            return arguments.Length == 1 ? "[]" + Notation(arguments[0]) : "{}" + Notation(arguments[1]);
        }

        if (Scalar(t) is { } scalar)
        {
            return scalar;
        }

        ReadType(t);
        return "@" + names[t];
    }

    private static string? Scalar(Type t) => t switch
    {
        _ when t == typeof(string) => "string",
        _ when t == typeof(bool) => "bool",
        _ when t == typeof(int) => "int32",
        _ when t == typeof(long) => "int64",
        _ when t == typeof(double) => "double",
        _ when t == typeof(DateTime) => "time",
        _ when t == typeof(object) => "any",
        _ when t == typeof(ResourceQuantity) => "quantity",
        _ when t.Name is "IntOrString" or "IntstrIntOrString" => "intOrString",
        _ when t.Name is "V1FieldsV1" or "JsonElement" or "JsonNode" => "any",
        _ => null,
    };
}

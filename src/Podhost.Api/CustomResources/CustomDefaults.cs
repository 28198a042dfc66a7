using System.Text.Json.Nodes;

namespace Podhost.Api.CustomResources;

/// <summary>Applies the defaults of a schema to custom objects, in place.</summary>
/// <remarks>Upstream: apiextensions-apiserver pkg/apiserver/schema/defaulting. A null where null is no value counts as unset.</remarks>
internal static class CustomDefaults
{
    /// <summary>Fills a value and all below it.</summary>
    public static void Apply(JsonNode? value, SchemaNode schema)
    {
        switch (value)
        {
            case JsonObject obj:
                ApplyToObject(obj, schema);
                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is null && !items.Nullable && items.Default is { } value0)
                    {
                        list[i] = value0.DeepClone();
                    }

                    Apply(list[i], items);
                }

                break;
        }
    }

    private static void ApplyToObject(JsonObject obj, SchemaNode schema)
    {
        foreach (var name in obj.Where(p => p.Value is null && schema.Member(p.Key) is { Nullable: false }).Select(p => p.Key).ToList())
        {
            obj.Remove(name);
        }

        foreach (var (name, field) in schema.Properties)
        {
            if (field.Default is { } value && !obj.ContainsKey(name))
            {
                obj[name] = value.DeepClone();
            }
        }

        foreach (var (name, value) in obj.ToList())
        {
            if (schema.Member(name) is { } field)
            {
                Apply(value, field);
            }
        }
    }
}

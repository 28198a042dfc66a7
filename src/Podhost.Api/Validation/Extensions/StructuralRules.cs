using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;

namespace Podhost.Api.Validation.Extensions;

/// <summary>The rules of structural schemas: the structure stands outside of allOf, anyOf, oneOf and not, and every part of it has a type.</summary>
/// <remarks>Source: apiextensions-apiserver pkg/apiserver/schema/validation.go and pkg/apis/apiextensions/validation.</remarks>
internal static class StructuralRules
{
    private static readonly string[] Types = ["array", "boolean", "integer", "number", "object", "string"];

    public static void Check(Field schema)
    {
        var type = schema["type"];
        if (type.Text.Length == 0)
        {
            type.Required("must not be empty at the root");
        }
        else if (type.Text != "object")
        {
            type.Invalid("must be object at the root");
        }

        CheckNode(schema, Place.Root);
        SchemaDefaultRules.Check(schema);
    }

    private static void CheckNode(Field schema, Place place)
    {
        UnsupportedRules.Check(schema);
        ListTypeRules.Check(schema);
        CheckType(schema, place);
        CheckExtensions(schema);
        CheckPattern(schema["pattern"]);
        CheckMetadata(schema, place);
        foreach (var (_, field) in schema["properties"].Entries)
        {
            CheckNode(field, Place.Field);
        }

        CheckFreeKeys(schema);
        if (schema["items"].Node is JsonObject)
        {
            CheckNode(schema["items"], Place.Item);
        }

        CheckAlternatives(schema, schema.Node as JsonObject ?? []);
    }

    private static void CheckFreeKeys(Field schema)
    {
        var free = schema["additionalProperties"];
        if (!free.IsSet)
        {
            return;
        }

        if (schema["properties"].Count > 0 && !free.Flag)
        {
            free.Forbidden("additionalProperties and properties are mutual exclusive");
        }

        if (free.Node is JsonObject)
        {
            CheckNode(free, Place.Value);
        }
    }

    private static void CheckType(Field schema, Place place)
    {
        var type = schema["type"];
        var isOpen = schema["x-kubernetes-preserve-unknown-fields"].Flag || schema["x-kubernetes-int-or-string"].Flag;
        if (type.Text.Length > 0 && !Types.Contains(type.Text))
        {
            if (type.Text == "null")
            {
                type.Forbidden("type cannot be set to null, use nullable as an alternative");
            }
            else
            {
                type.OneOf(Types);
            }
        }
        else if (type.Text.Length == 0 && !isOpen && place != Place.Root)
        {
            type.Required(place switch
            {
                Place.Item => "must not be empty for specified array items",
                Place.Value => "must not be empty for specified object fields",
                _ => "must not be empty for specified object fields",
            });
        }

        if (type.Text.Length > 0 && schema["x-kubernetes-int-or-string"].Flag)
        {
            type.Invalid("must be empty if x-kubernetes-int-or-string is true");
        }

        if (type.Text == "array" && schema["items"].Node is null)
        {
            schema["items"].Required("must be specified");
        }
    }

    private static void CheckExtensions(Field schema)
    {
        if (schema["x-kubernetes-preserve-unknown-fields"].IsFalse)
        {
            schema["x-kubernetes-preserve-unknown-fields"].Invalid("must be true or undefined");
        }

        if (!schema["x-kubernetes-embedded-resource"].Flag)
        {
            return;
        }

        var type = schema["type"];
        if (type.Text.Length == 0)
        {
            type.Required("must be object if x-kubernetes-embedded-resource is true");
        }
        else if (type.Text != "object")
        {
            type.Invalid("must be object if x-kubernetes-embedded-resource is true");
        }

        if (schema["properties"].Count == 0 && !schema["x-kubernetes-preserve-unknown-fields"].Flag)
        {
            schema["properties"].Required("must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields");
        }
    }

    private static void CheckPattern(Field pattern)
    {
        if (pattern.Text.Length > 0 && GoPattern.TryCompile(pattern.Text, out var error) is null)
        {
            pattern.Invalid("must be a valid regular expression, but isn't: " + error);
        }
    }

    // Of metadata only the name may be restricted; the rest is the API's own.
    private static void CheckMetadata(Field schema, Place place)
    {
        if (place != Place.Root && !schema["x-kubernetes-embedded-resource"].Flag)
        {
            return;
        }

        var metadata = schema["properties"].Key("metadata");
        var fields = (metadata["properties"].Node as JsonObject ?? []).Select(p => p.Key);
        var others = (metadata.Node as JsonObject ?? []).Select(p => p.Key).Where(k => k is not ("type" or "properties" or "description"));
        if (fields.Any(f => f is not ("name" or "generateName")) || others.Any())
        {
            metadata.Forbidden("must not specify anything other than name and generateName, but metadata is implicitly specified");
        }
    }

    private static void CheckAlternatives(Field schema, JsonObject structure)
    {
        foreach (var name in (string[])["allOf", "anyOf", "oneOf"])
        {
            foreach (var (alternative, i) in schema[name].Items.Select((a, i) => (a, i)))
            {
                AlternativeRules.Check(alternative, structure, AlternativeRules.IsIntOrStringForm(schema, name, i));
            }
        }

        if (schema["not"].IsSet)
        {
            AlternativeRules.Check(schema["not"], structure, mayHaveType: false);
        }
    }

    private enum Place
    {
        Root,
        Field,
        Item,
        Value,
    }
}

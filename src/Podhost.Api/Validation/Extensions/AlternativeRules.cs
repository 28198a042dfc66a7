using System.Text.Json.Nodes;

namespace Podhost.Api.Validation.Extensions;

/// <summary>Schemas inside allOf, anyOf, oneOf and not: they demand something of values, but add nothing to the structure.</summary>
internal static class AlternativeRules
{
    private static readonly string[] Structural =
    [
        "additionalProperties", "default", "description", "nullable", "title", "type", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-preserve-unknown-fields",
    ];

    /// <param name="schema">The schema inside.</param>
    /// <param name="structure">The schema outside, at the same place of the object; null where there is none.</param>
    /// <param name="mayHaveType">True in the form that int-or-string is written in.</param>
    public static void Check(Field schema, JsonObject? structure, bool mayHaveType)
    {
        UnsupportedRules.Check(schema);
        foreach (var name in Structural.Where(n => schema[n].IsSet && !(mayHaveType && n == "type")))
        {
            schema[name].Forbidden("must be empty to be structural");
        }

        foreach (var (name, field) in schema["properties"].Entries)
        {
            var outside = structure?["properties"]?[name] as JsonObject ?? structure?["additionalProperties"] as JsonObject;
            if (outside is null && structure is not null && !Flag(structure, "x-kubernetes-preserve-unknown-fields"))
            {
                field.Required($"because it is defined in {field.Path}");
            }

            Check(field, outside, mayHaveType: false);
        }

        if (schema["items"].Node is JsonObject)
        {
            Check(schema["items"], structure?["items"] as JsonObject, mayHaveType: false);
        }

        foreach (var inner in schema["allOf"].Items.Concat(schema["anyOf"].Items).Concat(schema["oneOf"].Items))
        {
            Check(inner, structure, mayHaveType && inner["type"].Text is "integer" or "string");
        }

        if (schema["not"].IsSet)
        {
            Check(schema["not"], structure, mayHaveType: false);
        }
    }

    /// <summary>
    /// True for the alternatives that may name a type: anyOf of integer and string, by itself or as the first of allOf, beside
    /// x-kubernetes-int-or-string.
    /// </summary>
    public static bool IsIntOrStringForm(Field schema, string list, int index) => schema["x-kubernetes-int-or-string"].Flag && list switch
    {
        "anyOf" => schema["anyOf"].Items.Select(a => a["type"].Text).SequenceEqual(["integer", "string"]),
        "allOf" => index == 0 && schema["allOf"].At(0)["anyOf"].Items.Select(a => a["type"].Text).SequenceEqual(["integer", "string"]),
        _ => false,
    };

    private static bool Flag(JsonObject obj, string name) => obj[name] is JsonValue v && v.TryGetValue(out bool flag) && flag;
}

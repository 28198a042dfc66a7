using System.Text.Json.Nodes;

namespace Podhost.Api.Validation.Extensions;

/// <summary>What JSON schemas can say and definitions may not.</summary>
internal static class UnsupportedRules
{
    public static void Check(Field schema)
    {
        foreach (var name in (ReadOnlySpan<string>)["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"])
        {
            if (schema[name].IsSet)
            {
                schema[name].Forbidden(name + " is not supported");
            }
        }

        if (schema["items"].Node is JsonArray)
        {
            schema["items"].Forbidden("items must be a schema object and not an array");
        }

        if (schema["uniqueItems"].Flag)
        {
            schema["uniqueItems"].Forbidden("uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
        }

        foreach (var rule in schema["x-kubernetes-validations"].Items)
        {
            rule["rule"].Forbidden($"rules of the Common Expression Language are not evaluated by this server, so the rule {Field.Printed(rule["rule"].Node)} would not be kept");
        }
    }
}

using System.Text.Json.Nodes;
using Podhost.Cel.Schemas;

namespace Podhost.Cel.Rules;

/// <summary>The rules of a schema, node by node; only branches that have rules.</summary>
internal sealed class RuleTree
{
    private RuleTree(JsonObject json, CelSchema schema, IReadOnlyList<ValidationRule> rules) => (Json, Schema, Rules) = (json, schema, rules);

    public JsonObject Json { get; }

    /// <summary>The schema as expressions see values of it.</summary>
    public CelSchema Schema { get; }

    public IReadOnlyList<ValidationRule> Rules { get; }

    public RuleTree? Items { get; private init; }

    public RuleTree? Values { get; private init; }

    public IReadOnlyDictionary<string, RuleTree> Properties { get; private init; } = new Dictionary<string, RuleTree>();

    /// <summary>The tree of a schema, or null where it has no rules.</summary>
    public static RuleTree? Read(JsonObject json, bool isResource)
    {
        if (!HasRules(json))
        {
            return null;
        }

        var schema = CelSchema.FromJson(json);
        isResource |= schema.IsEmbeddedResource;
        var declared = DeclaredType.Of(schema, "selfType", isResource);
        var rules = declared is null ? [] : ValidationRule.Compile(json, declared);
        return new RuleTree(json, isResource ? schema.AsResource() : schema, rules)
        {
            Items = json["items"] is JsonObject items ? Read(items, isResource: false) : null,
            Values = json["additionalProperties"] is JsonObject values ? Read(values, isResource: false) : null,
            Properties = (json["properties"] as JsonObject ?? [])
                .Select(p => (p.Key, Tree: p.Value is JsonObject child ? Read(child, isResource: false) : null))
                .Where(p => p.Tree is not null)
                .ToDictionary(p => p.Key, p => p.Tree!, StringComparer.Ordinal),
        };
    }

    private static bool HasRules(JsonObject json) => json["x-kubernetes-validations"] is JsonArray { Count: > 0 }
        || (json["items"] is JsonObject items && HasRules(items))
        || (json["additionalProperties"] is JsonObject values && HasRules(values))
        || (json["properties"] as JsonObject)?.Any(p => p.Value is JsonObject child && HasRules(child)) == true;
}

using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Api.Validation;
using Podhost.Cel.Costs;
using Podhost.Cel.Schemas;

namespace Podhost.Cel.Rules;

/// <summary>What is wrong with the rules of a schema: texts, expressions, estimated costs. Source: apiextensions' validation of CRDs.</summary>
public sealed class SchemaRuleFaults
{
    private const ulong MaxRuleCost = 10_000_000;
    private const ulong MaxTotalCost = 100_000_000;
    private const int MostExpensive = 4;

    private readonly List<FieldError> _faults = [];
    private readonly List<(string Path, ulong Cost)> _costs = [];
    private ulong _total;

    private SchemaRuleFaults()
    {
    }

    /// <summary>The faults of an openAPIV3Schema.</summary>
    /// <param name="schema">The schema; structural.</param>
    /// <param name="path">Path of the schema, for example <c>spec.validation.openAPIV3Schema</c>.</param>
    public static IReadOnlyList<FieldError> Find(JsonObject schema, string path)
    {
        var check = new SchemaRuleFaults();
        check.Visit(schema, path, isResource: true, cardinality: 1, uncorrelatable: null);
        check.CheckTotal(path);
        return check._faults;
    }

    private void Visit(JsonObject schema, string path, bool isResource, ulong? cardinality, string? uncorrelatable)
    {
        if (schema["x-kubernetes-validations"] is JsonArray { Count: > 0 })
        {
            Check(schema, path, isResource, cardinality, uncorrelatable);
        }

        foreach (var (name, child) in schema["properties"] as JsonObject ?? [])
        {
            Descend(child, $"{path}.properties[{name}]", cardinality, uncorrelatable);
        }

        var isCorrelatable = Text(schema, "x-kubernetes-list-type") == "map";
        Descend(schema["items"], $"{path}.items", Times(cardinality, schema, "maxItems"), uncorrelatable ?? (isCorrelatable ? null : path));
        Descend(schema["additionalProperties"], $"{path}.additionalProperties", Times(cardinality, schema, "maxProperties"), uncorrelatable);
    }

    private void Descend(JsonNode? child, string path, ulong? cardinality, string? uncorrelatable)
    {
        if (child is JsonObject schema)
        {
            Visit(schema, path, schema["x-kubernetes-embedded-resource"] is JsonValue v && v.TryGetValue<bool>(out var flag) && flag, cardinality, uncorrelatable);
        }
    }

    private static ulong? Times(ulong? cardinality, JsonObject schema, string limit) =>
        cardinality is { } times && schema[limit] is JsonValue v && long.TryParse(v.ToJsonString(), CultureInfo.InvariantCulture, out var most) && most >= 0
            ? Costs.Range.Product(times, (ulong)most)
            : null;

    private void Check(JsonObject schema, string path, bool isResource, ulong? cardinality, string? uncorrelatable)
    {
        var before = _faults.Count;
        var rules = (JsonArray)schema["x-kubernetes-validations"]!;
        for (var i = 0; i < rules.Count; i++)
        {
            CheckTexts(rules[i] as JsonObject ?? [], schema, $"{path}.x-kubernetes-validations[{i}]");
        }

        if (_faults.Count > before)
        {
            return;
        }

        if (DeclaredType.Of(CelSchema.FromJson(schema), "selfType", isResource) is not { } declared)
        {
            _faults.Add(new FieldError($"{path}.x-kubernetes-validations", "InternalError",
                $"Internal error: rule declared on schema that does not support validation rules type: '{Text(schema, "type")}' x-kubernetes-preserve-unknown-fields: '{Flag(schema, "x-kubernetes-preserve-unknown-fields")}'"));
            return;
        }

        var times = cardinality ?? (ulong)(DeclaredType.MaxRequestBytes / (declared.MinSize + 1));
        var compiled = ValidationRule.Compile(schema, declared);
        for (var i = 0; i < compiled.Count; i++)
        {
            CheckCompiled(compiled[i], $"{path}.x-kubernetes-validations[{i}]", times, uncorrelatable);
        }
    }

    private void CheckTexts(JsonObject rule, JsonObject schema, string path)
    {
        var (text, message, expression, fieldPath) = (Text(rule, "rule"), Text(rule, "message"), Text(rule, "messageExpression"), Text(rule, "fieldPath"));
        if (text.Trim().Length == 0)
        {
            _faults.Add(FieldError.Required($"{path}.rule", "rule is not specified"));
        }
        else if (message.Length > 0 && message.Trim().Length == 0)
        {
            _faults.Add(FieldError.InvalidString($"{path}.message", message, "message must be non-empty if specified"));
        }
        else if (HasNewlines(message.Trim()))
        {
            _faults.Add(FieldError.InvalidString($"{path}.message", message, "message must not contain line breaks"));
        }
        else if (HasNewlines(text.Trim()) && message.Trim().Length == 0)
        {
            _faults.Add(FieldError.Required($"{path}.message", "message must be specified if rule contains line breaks"));
        }

        if (expression.Length > 0 && expression.Trim().Length == 0)
        {
            _faults.Add(FieldError.Required($"{path}.messageExpression", "messageExpression must be non-empty if specified"));
        }

        if (Text(rule, "reason") is { Length: > 0 } reason && !Reasons.Contains(reason))
        {
            _faults.Add(FieldError.NotSupported($"{path}.reason", reason, Reasons));
        }

        CheckFieldPath(fieldPath, schema, $"{path}.fieldPath");
    }

    private static readonly string[] Reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

    private void CheckFieldPath(string fieldPath, JsonObject schema, string path)
    {
        if (fieldPath.Length == 0)
        {
            return;
        }

        if (fieldPath.Trim().Length == 0)
        {
            _faults.Add(FieldError.InvalidString(path, fieldPath, "fieldPath must be non-empty if specified"));
        }
        else if (HasNewlines(fieldPath))
        {
            _faults.Add(FieldError.InvalidString(path, fieldPath, "fieldPath must not contain line breaks"));
        }
        else if (FieldPaths.Resolve(fieldPath, schema).Error is { } error)
        {
            _faults.Add(FieldError.InvalidString(path, fieldPath, $"fieldPath must be a valid path: {error}"));
        }
    }

    private void CheckCompiled(ValidationRule rule, string path, ulong times, string? uncorrelatable)
    {
        if (rule.Error is { } error)
        {
            _faults.Add(FieldError.Invalid($"{path}.rule", Printed(rule.Json), error));
        }

        if (rule.MessageError is { } messageError)
        {
            _faults.Add(FieldError.Invalid($"{path}.messageExpression", Printed(rule.Json), messageError));
        }

        CheckCost($"{path}.rule", "estimated rule cost", Costs.Range.Product(rule.MaxCost, times));
        if (rule.MessageProgram is not null)
        {
            CheckCost($"{path}.messageExpression", "estimated messageExpression cost", Costs.Range.Product(rule.MessageMaxCost, times));
        }

        if (rule.UsesOldSelf && uncorrelatable is not null && !rule.OptionalOldSelf)
        {
            _faults.Add(FieldError.InvalidString($"{path}.rule", rule.Rule, $"oldSelf cannot be used on the uncorrelatable portion of the schema within {uncorrelatable}"));
        }

        if (rule is { OptionalOldSelf: true, UsesOldSelf: false, Error: null })
        {
            _faults.Add(FieldError.Invalid($"{path}.optionalOldSelf", "true", "may not be set if oldSelf is not used in rule"));
        }
    }

    private void CheckCost(string path, string what, ulong cost)
    {
        if (cost > MaxRuleCost)
        {
            _faults.Add(FieldError.Forbidden(path, TooCostly(what, cost, MaxRuleCost)));
        }

        _costs.Add((path, cost));
        _total = Costs.Range.Sum(_total, cost);
    }

    private void CheckTotal(string path)
    {
        if (_total <= MaxTotalCost)
        {
            return;
        }

        foreach (var (rulePath, _) in _costs.OrderByDescending(c => c.Cost).Take(MostExpensive))
        {
            _faults.Add(FieldError.Forbidden(rulePath, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"));
        }

        _faults.Add(FieldError.Forbidden(path, TooCostly("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", _total, MaxTotalCost)));
    }

    private static string TooCostly(string what, ulong cost, ulong limit)
    {
        var times = (double)cost / limit;
        var factor = times > 100 ? "more than 100x" : times < 1.5 ? string.Create(CultureInfo.InvariantCulture, $"{times:F6}x") : string.Create(CultureInfo.InvariantCulture, $"{times:F1}x");
        return $"{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
    }

    private static bool HasNewlines(string text) => text.AsSpan().IndexOfAny('\n', '\r') >= 0;

    private static string Text(JsonObject json, string name) => json[name] is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";

    private static string Flag(JsonObject json, string name) => json[name] is JsonValue v && v.TryGetValue<bool>(out var flag) && flag ? "true" : "false";

    private static string Printed(JsonObject json) => json.ToJsonString();
}

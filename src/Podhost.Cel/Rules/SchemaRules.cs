using System.Text.Json.Nodes;
using Podhost.Api.Validation;
using Podhost.Cel.Schemas;

namespace Podhost.Cel.Rules;

/// <summary>
/// The <c>x-kubernetes-validations</c> of a custom resource's schema, compiled. Source: apiextensions' schema/cel. Rules below allOf, anyOf, oneOf and not
/// are not evaluated.
/// </summary>
public sealed class SchemaRules
{
    private readonly RuleTree _root;

    private SchemaRules(RuleTree root) => _root = root;

    /// <summary>The rules of an openAPIV3Schema, or null where it has none.</summary>
    public static SchemaRules? Compile(JsonObject schema) => RuleTree.Read(schema, isResource: true) is { } root ? new SchemaRules(root) : null;

    /// <summary>Evaluates all rules for an object.</summary>
    /// <param name="obj">The object as it will be stored.</param>
    /// <param name="old">What it was, or null for a new one.</param>
    /// <param name="warn">Takes the text of faults that are let through because the value has not changed.</param>
    /// <returns>Faults with their paths.</returns>
    public IReadOnlyList<FieldError> Validate(JsonObject obj, JsonObject? old, Action<string> warn)
    {
        var run = new RuleRun(warn);
        run.Validate(_root, "", obj, old, Correlation.Of(obj, old));
        return run.Faults;
    }
}

/// <summary>One validation of an object.</summary>
internal sealed class RuleRun(Action<string> warn)
{
    private const int MaxMessageBytes = 5 * 1024;
    private const string OutOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run";

    private readonly List<FieldError> _faults = [];
    private long _budget = CelEnvironment.RuntimeBudget;

    public IReadOnlyList<FieldError> Faults => _faults;

    private bool IsOver => _budget < 0;

    public void Validate(RuleTree tree, string path, JsonNode? value, JsonNode? old, Correlation correlation)
    {
        if (value is null || IsOver)
        {
            return;
        }

        Evaluate(tree, path, value, old, correlation);
        switch (value)
        {
            case JsonArray list when tree.Items is { } items:
                Items(tree, items, path, list, old as JsonArray, correlation);
                break;
            case JsonObject map:
                Members(tree, path, map, old as JsonObject, correlation);
                break;
        }
    }

    private void Members(RuleTree tree, string path, JsonObject map, JsonObject? old, Correlation correlation)
    {
        foreach (var (name, value) in map)
        {
            var before = old?[name];
            if (tree.Properties.TryGetValue(name, out var property))
            {
                Validate(property, path.Length == 0 ? name : $"{path}.{name}", value, before, correlation.Member(name, value));
            }
            else if (tree.Values is { } values)
            {
                Validate(values, $"{path}[{name}]", value, before, correlation.Member(name, value));
            }
        }
    }

    private void Items(RuleTree tree, RuleTree items, string path, JsonArray list, JsonArray? old, Correlation correlation)
    {
        var byKey = tree.Schema.ListType == "map" ? old?.ToLookup(i => KeyOf(tree.Schema, i), StringComparer.Ordinal) : null;
        for (var i = 0; i < list.Count; i++)
        {
            var before = byKey?[KeyOf(tree.Schema, list[i])].FirstOrDefault();
            Validate(items, $"{path}[{i}]", list[i], before, correlation.Item(list[i], before));
        }
    }

    private static string KeyOf(CelSchema schema, JsonNode? item) =>
        string.Join('\0', schema.ListMapKeys.Select(k => (item as JsonObject)?[k]?.ToJsonString() ?? ""));

    private void Evaluate(RuleTree tree, string path, JsonNode value, JsonNode? old, Correlation correlation)
    {
        if (tree.Rules.Count == 0)
        {
            return;
        }

        var self = CelValues.FromJson(value, tree.Schema);
        var oldSelf = old is null ? null : CelValues.FromJson(old, tree.Schema);
        foreach (var rule in tree.Rules)
        {
            if (IsOver)
            {
                return;
            }

            Evaluate(tree, rule, path, name => name == "self" ? self : rule.OptionalOldSelf ? CelValues.Optional(oldSelf) : oldSelf, old is not null, correlation);
        }
    }

    private void Evaluate(RuleTree tree, ValidationRule rule, string path, Func<string, object?> variables, bool hasOld, Correlation correlation)
    {
        var type = $"\"{tree.Schema.Type}\"";
        if (rule.Error is { } error)
        {
            _faults.Add(FieldError.Invalid(path, type, $"rule compile error: {error}"));
            return;
        }

        if (rule.Program is not { } program || (rule.UsesOldSelf && !hasOld && !rule.OptionalOldSelf))
        {
            return;
        }

        var outcome = program.Evaluate(variables);
        _budget -= outcome.Cost;
        if (outcome.Error is { } failed)
        {
            _faults.Add(FieldError.Invalid(path, type, Failure(failed, outcome.IsTooCostly, rule)));
        }
        else if (IsOver)
        {
            _faults.Add(FieldError.Invalid(path, type, OutOfBudget));
        }
        else if (outcome.AsBool != true)
        {
            var below = rule.FieldPath.Length > 0 ? FieldPaths.Resolve(rule.FieldPath, tree.Json).Path : "";
            Report(rule, (path + below).TrimStart('.'), type, Detail(rule, variables), correlation);
        }
    }

    private string Failure(string failed, bool isTooCostly, ValidationRule rule)
    {
        if (isTooCostly)
        {
            _budget = -1;
            return $"'{failed}': no further validation rules will be run due to call cost exceeds limit for rule: {rule.Name}";
        }

        return failed.StartsWith("no such overload", StringComparison.Ordinal)
            ? $"'{failed}': call arguments did not match a supported operator, function or macro signature for rule: {rule.Name}"
            : $"{failed} evaluating rule: {rule.Name}";
    }

    private string Detail(ValidationRule rule, Func<string, object?> variables)
    {
        if (rule.MessageProgram is { } program)
        {
            var outcome = program.Evaluate(variables);
            _budget -= outcome.Cost;
            if (IsOver)
            {
                return "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run";
            }

            if (outcome.AsText?.Trim() is { Length: > 0 } text && text.Length <= MaxMessageBytes && !text.Contains('\n', StringComparison.Ordinal))
            {
                return text;
            }
        }

        return rule.Message.Length == 0 ? $"failed rule: {rule.Name}" : rule.Message.Trim();
    }

    private void Report(ValidationRule rule, string path, string type, string detail, Correlation correlation)
    {
        var fault = rule.Reason switch
        {
            "FieldValueForbidden" => FieldError.Forbidden(path, detail),
            "FieldValueRequired" => FieldError.Required(path, detail),
            "FieldValueDuplicate" => FieldError.Duplicate(path, type.Trim('"')),
            _ => FieldError.Invalid(path, type, detail),
        };
        if (!rule.UsesOldSelf && correlation.Ratchets)
        {
            warn(fault.ToString());
        }
        else
        {
            _faults.Add(fault);
        }
    }
}

using System.Text.Json.Nodes;
using Podhost.Cel.Schemas;
using Podhost.Cel.Types;

namespace Podhost.Cel.Rules;

/// <summary>An entry of <c>x-kubernetes-validations</c>, compiled for the schema that it stands in.</summary>
internal sealed class ValidationRule
{
    private ValidationRule(JsonObject json) => Json = json;

    public JsonObject Json { get; }

    public string Rule => Text("rule");

    public string Message => Text("message");

    public string MessageExpression => Text("messageExpression");

    public string Reason => Text("reason");

    public string FieldPath => Text("fieldPath");

    public bool OptionalOldSelf => Json["optionalOldSelf"] is JsonValue v && v.TryGetValue<bool>(out var flag) && flag;

    /// <summary>Null where the rule is empty or has faults.</summary>
    public CelProgram? Program { get; private set; }

    /// <summary>What is wrong with the rule.</summary>
    public string? Error { get; private set; }

    public CelProgram? MessageProgram { get; private set; }

    public string? MessageError { get; private set; }

    /// <summary>True for transition rules: they need an old value.</summary>
    public bool UsesOldSelf { get; private set; }

    /// <summary>Most that one evaluation may cost.</summary>
    public ulong MaxCost { get; private set; }

    public ulong MessageMaxCost { get; private set; }

    /// <summary>As messages name the rule: by its message, else by its text.</summary>
    public string Name => Message.Length > 0 ? Message.Trim() : Rule.Trim();

    /// <summary>Compiles the rules of one schema node.</summary>
    public static List<ValidationRule> Compile(JsonObject schema, DeclaredType declared)
    {
        var rules = new List<ValidationRule>();
        foreach (var json in (schema["x-kubernetes-validations"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var rule = new ValidationRule(json);
            rule.Compile(declared);
            rules.Add(rule);
        }

        return rules;
    }

    private void Compile(DeclaredType declared)
    {
        if (string.IsNullOrWhiteSpace(Rule))
        {
            return;
        }

        var environment = new CelEnvironment(new Dictionary<string, CelType>
        {
            ["self"] = declared.Type,
            ["oldSelf"] = OptionalOldSelf ? CelType.Optional(declared.Type) : declared.Type,
        });
        var sizes = new Dictionary<string, DeclaredType> { ["self"] = declared, ["oldSelf"] = declared };
        (Program, Error) = Compile(environment, Rule, CelType.Bool, "compilation failed: ", "cel expression must evaluate to a bool");
        MaxCost = Program?.EstimateCost(sizes) ?? 0;
        UsesOldSelf = Program?.Uses("oldSelf") == true;
        if (MessageExpression.Trim().Length > 0)
        {
            (MessageProgram, MessageError) = Compile(
                environment, MessageExpression, CelType.String, "messageExpression compilation failed: ", "messageExpression must evaluate to a string");
            MessageMaxCost = MessageProgram?.EstimateCost(sizes) ?? 0;
        }
    }

    private static (CelProgram?, string?) Compile(CelEnvironment environment, string text, CelType result, string failed, string wrongType)
    {
        var compiled = environment.Compile(text);
        return compiled.Error is { } error ? (null, failed + error)
            : compiled.Program!.ResultType.Equals(result) ? (compiled.Program, null)
            : (null, wrongType);
    }

    private string Text(string name) => Json[name] is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Validation;

namespace Podhost.Api.CustomResources;

/// <summary>Validates values by a schema, with the words of upstream's validator (kube-openapi pkg/validation).</summary>
/// <remarks>
/// What an update leaves as it was is not judged again (ratcheting, KEP-4008): a schema that became stricter does not stand in the way of
/// changes elsewhere.
/// </remarks>
internal sealed class CustomValidator
{
    // As upstream: a schema that refuses everything must not produce an answer without end.
    private const int MaxFaults = 200;

    private readonly List<FieldError> faults = [];

    private CustomValidator()
    {
    }

    /// <summary>How many rules a value met: says which of several alternatives it was meant for.</summary>
    private int Matches { get; set; }

    /// <summary>Faults of a value.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="value">The value.</param>
    /// <param name="path">Path of the value; empty for a whole object.</param>
    /// <param name="old">The value before, where there is one.</param>
    public static IReadOnlyList<FieldError> Validate(SchemaNode schema, JsonNode? value, string path = "", JsonNode? old = null)
    {
        var validator = new CustomValidator();
        validator.Check(schema, value, path, old);
        return validator.faults;
    }

    private void Check(SchemaNode schema, JsonNode? value, string path, JsonNode? old)
    {
        if (faults.Count >= MaxFaults || (old is not null && value is not null && JsonNode.DeepEquals(old, value)))
        {
            return;
        }

        CheckType(schema, value, path);
        CheckEnum(schema.Rules, value, path);
        if (value is null)
        {
            return;
        }

        CheckAlternatives(schema.Rules, value, path);
        switch (value)
        {
            case JsonObject obj:
                CheckObject(schema, obj, path, old as JsonObject);
                break;
            case JsonArray list:
                CheckList(schema, list, path, old as JsonArray);
                break;
            case JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String:
                CheckText(schema.Rules, scalar.GetValue<string>(), path);
                break;
            case JsonValue scalar when scalar.GetValueKind() == JsonValueKind.Number:
                CheckNumber(schema, scalar, path);
                break;
        }
    }

    private void CheckType(SchemaNode schema, JsonNode? value, string path)
    {
        var actual = TypeOf(value);
        var wanted = schema.IsIntOrString ? "integer,string" : schema.Type;
        var fits = wanted.Length == 0 || wanted == actual || (actual == "null" && schema.Nullable)
            || (schema.IsIntOrString && actual is "integer" or "string")
            || (wanted == "number" && actual == "integer");
        if (fits)
        {
            Matches++;
            return;
        }

        Add(path, "FieldValueTypeInvalid", Quote(actual), $"{path} in body must be of type {wanted}: {Quote(actual)}");
    }

    private void CheckEnum(ValueRules rules, JsonNode? value, string path)
    {
        if (rules.Enum is not { } allowed || (value is null && !allowed.Contains(null)))
        {
            return;
        }

        if (allowed.Any(a => JsonNode.DeepEquals(a, value)))
        {
            Matches++;
            return;
        }

        var text = value is JsonValue v && v.GetValueKind() == JsonValueKind.String ? v.GetValue<string>() : value?.ToJsonString() ?? "null";
        faults.Add(FieldError.NotSupported(path, text, allowed.Select(a =>
            a is JsonValue s && s.GetValueKind() == JsonValueKind.String ? s.GetValue<string>() : a?.ToJsonString() ?? "null")));
    }

    private void CheckObject(SchemaNode schema, JsonObject obj, string path, JsonObject? old)
    {
        var rules = schema.Rules;
        if (rules.MaxProperties is { } max && obj.Count > max)
        {
            faults.Add(FieldError.TooMany(path, obj.Count, (int)max));
        }

        if (rules.MinProperties is { } min && obj.Count < min)
        {
            Invalid(path, Field.Printed(obj), $"{path} in body should have at least {min} properties");
        }

        foreach (var name in schema.Required.Where(n => !obj.ContainsKey(n)))
        {
            faults.Add(FieldError.Required(Below(path, name)));
        }

        foreach (var (name, value) in obj)
        {
            if (schema.Member(name) is { } field)
            {
                Check(field, value, Below(path, name), old?[name]);
            }
        }
    }

    private void CheckList(SchemaNode schema, JsonArray list, string path, JsonArray? old)
    {
        var rules = schema.Rules;
        if (rules.MaxItems is { } max && list.Count > max)
        {
            faults.Add(FieldError.TooMany(path, list.Count, (int)max));
        }

        if (rules.MinItems is { } min && list.Count < min)
        {
            Invalid(path, Field.Printed(list), $"{path} in body should have at least {min} items");
        }

        if (schema.Items is not { } items)
        {
            return;
        }

        var before = old is null ? null : ListKeys.Correlate(schema, old);
        for (var i = 0; i < list.Count; i++)
        {
            Check(items, list[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), before?.Invoke(list[i], i));
        }
    }

    private void CheckText(ValueRules rules, string text, string path)
    {
        // Characters count as Go's runes do.
        var length = text.EnumerateRunes().Count();
        if (rules.MaxLength is { } max && length > max)
        {
            faults.Add(FieldError.TooLong(path, (int)max));
        }

        if (rules.MinLength is { } min && length < min)
        {
            Invalid(path, Quote(text), $"{path} in body should be at least {min} chars long");
        }

        if (rules.Pattern is { } pattern && !pattern.IsMatch(text))
        {
            Invalid(path, Quote(text), $"{path} in body should match '{rules.PatternText}'");
        }

        if (!Formats.IsValid(rules.Format, text))
        {
            Add(path, "FieldValueTypeInvalid", Quote(text), $"{path} in body must be of type {rules.Format}: {Quote(text)}");
        }
    }

    private void CheckNumber(SchemaNode schema, JsonValue value, string path)
    {
        var (rules, number, printed) = (schema.Rules, JsonNumbers.ToDouble(value), value.ToJsonString());
        if (rules.Maximum is { } max && (rules.ExcludesMaximum ? number >= max : number > max))
        {
            Invalid(path, printed, $"{path} in body should be less than {(rules.ExcludesMaximum ? "" : "or equal to ")}{JsonNumbers.Print(max)}");
        }

        if (rules.Minimum is { } min && (rules.ExcludesMinimum ? number <= min : number < min))
        {
            Invalid(path, printed, $"{path} in body should be greater than {(rules.ExcludesMinimum ? "" : "or equal to ")}{JsonNumbers.Print(min)}");
        }

        if (rules.MultipleOf is { } factor and > 0 && Math.IEEERemainder(number, factor) != 0)
        {
            Invalid(path, printed, $"{path} in body should be a multiple of {JsonNumbers.Print(factor)}");
        }

        if (rules.Format is "int32" or "int64" && schema.Type == "integer" && !Formats.Fits(rules.Format, number))
        {
            Invalid(path, printed, $"Checked value must be of type integer with format {rules.Format} in {path}");
        }
    }

    private void CheckAlternatives(ValueRules rules, JsonNode value, string path)
    {
        foreach (var schema in rules.AllOf)
        {
            Take(Try(schema, value, path));
        }

        if (rules.AnyOf.Count > 0 && Best(rules.AnyOf, value, path, out var any) == 0)
        {
            Unplaced($"{Quote(path)} must validate at least one schema (anyOf)");
            Take(any!);
        }

        if (rules.OneOf.Count > 0 && Best(rules.OneOf, value, path, out var one) is var valid and not 1)
        {
            var found = valid == 0 ? "Found none valid" : $"Found {valid} valid alternatives";
            Unplaced($"{Quote(path)} must validate one and only one schema (oneOf). {found}");
            if (valid == 0)
            {
                Take(one!);
            }
        }

        if (rules.Not is { } not && Try(not, value, path).faults.Count == 0)
        {
            Unplaced($"{Quote(path)} must not validate the schema (not)");
        }
    }

    // How many of the schemas hold, and the failure that came closest.
    private static int Best(IReadOnlyList<SchemaNode> schemas, JsonNode value, string path, out CustomValidator? closest)
    {
        var results = schemas.Select(s => Try(s, value, path)).ToList();
        closest = results.Where(r => r.faults.Count > 0).MaxBy(r => r.Matches);
        return results.Count(r => r.faults.Count == 0);
    }

    private static CustomValidator Try(SchemaNode schema, JsonNode value, string path)
    {
        var validator = new CustomValidator();
        validator.Check(schema, value, path, null);
        return validator;
    }

    private void Take(CustomValidator other)
    {
        faults.AddRange(other.faults);
        Matches += other.Matches;
    }

    private void Invalid(string path, string printed, string detail) => Add(path, "FieldValueInvalid", printed, detail);

    private void Add(string path, string reason, string printed, string detail) =>
        faults.Add(new FieldError(path, reason, $"Invalid value: {printed}: {detail}"));

    // Upstream does not say where alternatives fail, except in the message.
    private void Unplaced(string detail) => Add("<nil>", "FieldValueInvalid", "\"\"", detail);

    private static string Below(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Quote(string text) => Field.Printed((JsonNode)text);

    private static string TypeOf(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        JsonValue v => v.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Number => JsonNumbers.IsWhole(v) ? "integer" : "number",
            _ => "null",
        },
        _ => "null",
    };
}

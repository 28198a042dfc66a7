using System.Globalization;
using Podhost.Api.Validation;

namespace Podhost.Api.Selectors;

/// <summary>How a requirement compares.</summary>
public enum LabelOperator
{
    /// <summary>The label has one of the values.</summary>
    In,

    /// <summary>The label is absent or has none of the values.</summary>
    NotIn,

    /// <summary>The label is present.</summary>
    Exists,

    /// <summary>The label is absent.</summary>
    DoesNotExist,

    /// <summary>The label is a whole number greater than the value.</summary>
    GreaterThan,

    /// <summary>The label is a whole number less than the value.</summary>
    LessThan,
}

/// <summary>One requirement of a label selector.</summary>
public sealed class LabelRequirement
{
    private readonly long bound;

    /// <summary>Makes and checks a requirement.</summary>
    /// <exception cref="FormatException">Key or values do not fit; the message is upstream's.</exception>
    public LabelRequirement(string key, LabelOperator op, IReadOnlyList<string> values)
    {
        (Key, Operator, Values) = (key, op, values);
        ThrowOnFaults(key, LabelSyntax.KeyFaults(key), "<nil>");
        CheckCount();
        if (op is LabelOperator.GreaterThan or LabelOperator.LessThan
            && !long.TryParse(values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out bound))
        {
            throw new FormatException($"values[0]: Invalid value: \"{values[0]}\": for 'Gt', 'Lt' operators, the value must be an integer");
        }

        foreach (var value in values)
        {
            ThrowOnFaults(value, LabelSyntax.ValueFaults(value), $"values[{key}]");
        }
    }

    /// <summary>Label key.</summary>
    public string Key { get; }

    /// <summary>How it compares.</summary>
    public LabelOperator Operator { get; }

    /// <summary>Values to compare with.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>True where a label's value satisfies the requirement.</summary>
    /// <param name="value">The label's value, or null where it is absent.</param>
    public bool Matches(string? value) => Operator switch
    {
        LabelOperator.In => value is not null && Values.Contains(value),
        LabelOperator.NotIn => value is null || !Values.Contains(value),
        LabelOperator.Exists => value is not null,
        LabelOperator.DoesNotExist => value is null,
        LabelOperator.GreaterThan => TryNumber(value, out var n) && n > bound,
        LabelOperator.LessThan => TryNumber(value, out var n) && n < bound,
        _ => false,
    };

    /// <summary>The string form.</summary>
    public override string ToString() => Operator switch
    {
        LabelOperator.Exists => Key,
        LabelOperator.DoesNotExist => "!" + Key,
        LabelOperator.GreaterThan => $"{Key}>{Values[0]}",
        LabelOperator.LessThan => $"{Key}<{Values[0]}",
        LabelOperator.In when Values.Count == 1 => $"{Key}={Values[0]}",
        LabelOperator.NotIn when Values.Count == 1 => $"{Key}!={Values[0]}",
        LabelOperator.In => $"{Key} in ({string.Join(',', Values)})",
        _ => $"{Key} notin ({string.Join(',', Values)})",
    };

    private void CheckCount()
    {
        var fault = Operator switch
        {
            LabelOperator.In or LabelOperator.NotIn when Values.Count == 0 => "for 'in', 'notin' operators, values set can't be empty",
            LabelOperator.Exists or LabelOperator.DoesNotExist when Values.Count > 0 => "values set must be empty for exists and does not exist",
            LabelOperator.GreaterThan or LabelOperator.LessThan when Values.Count != 1 => "for 'Gt', 'Lt' operators, exactly one value is required",
            _ => null,
        };
        if (fault is not null)
        {
            var printed = "[" + string.Join(",", Values.Select(v => $"\"{v}\"")) + "]";
            throw new FormatException(FieldError.Invalid("values", printed, fault).ToString());
        }
    }

    private static void ThrowOnFaults(string value, IReadOnlyList<string> faults, string path)
    {
        if (faults.Count > 0)
        {
            throw new FormatException(FieldError.InvalidString(path, value, string.Join("; ", faults)).ToString());
        }
    }

    private static bool TryNumber(string? value, out long number) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
}

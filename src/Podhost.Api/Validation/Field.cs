using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.Api.Quantities;

namespace Podhost.Api.Validation;

/// <summary>A place in an object: its value, its path, and where faults of it are collected.</summary>
/// <remarks>Never throws on a value of another type than expected: the decoder has judged types before, and where nobody did, the value reads as unset.</remarks>
internal sealed class Field
{
    private readonly Field? parent;
    private readonly string segment;
    private readonly List<FieldError> faults;

    /// <summary>The root of an object.</summary>
    public Field(JsonNode? node, List<FieldError> faults)
        : this(node, null, "", faults)
    {
    }

    private Field(JsonNode? node, Field? parent, string segment, List<FieldError> faults) =>
        (Node, this.parent, this.segment, this.faults) = (node, parent, segment, faults);

    public JsonNode? Node { get; }

    public bool IsSet => Node is not null;

    /// <summary>The string; empty where it is unset.</summary>
    public string Text => Node is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";

    public bool IsText => Node is JsonValue v && v.GetValueKind() == JsonValueKind.String;

    /// <summary>True where the value is <c>true</c>.</summary>
    public bool Flag => Node is JsonValue v && v.GetValueKind() == JsonValueKind.True;

    public bool IsFalse => Node is JsonValue v && v.GetValueKind() == JsonValueKind.False;

    /// <summary>The whole number; 0 where it is unset.</summary>
    public long Number => Node is JsonValue v && v.GetValueKind() == JsonValueKind.Number
        && long.TryParse(v.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public Quantity Amount => Quantity.TryParse(Node is JsonValue ? IsText ? Text : Node.ToJsonString() : "", out var quantity) ? quantity : default;

    public int Count => Node switch { JsonArray a => a.Count, JsonObject o => o.Count, _ => 0 };

    public string Path => parent switch
    {
        null => segment,
        { parent: null, segment: "" } => segment,
        _ => parent.Path + (segment.StartsWith('[') ? "" : ".") + segment,
    };

    /// <summary>A field of the object.</summary>
    public Field this[string name] => new((Node as JsonObject)?[name], this, name, faults);

    /// <summary>An entry of a map.</summary>
    public Field Key(string key) => new((Node as JsonObject)?[key], this, $"[{key}]", faults);

    /// <summary>An item of a list.</summary>
    public Field At(int index) => new(Node is JsonArray a && index < a.Count ? a[index] : null, this, $"[{index}]", faults);

    /// <summary>A path below this one for a value from elsewhere, where upstream reports one there.</summary>
    public Field Child(string name, JsonNode? node) => new(node, this, name, faults);

    /// <summary>The same path with another value.</summary>
    public Field With(JsonNode? node) => new(node, parent, segment, faults);

    /// <summary>The same value where faults go to another list.</summary>
    public Field Into(List<FieldError> other) => new(Node, Rebase(parent, other), segment, other);

    public IEnumerable<Field> Items
    {
        get
        {
            for (var i = 0; i < (Node as JsonArray)?.Count; i++)
            {
                yield return At(i);
            }
        }
    }

    /// <summary>Entries of a map, in the order of their keys so that messages are stable.</summary>
    public IEnumerable<(string Key, Field Value)> Entries =>
        Node is JsonObject map ? map.Select(e => e.Key).Order(StringComparer.Ordinal).Select(k => (k, Key(k))) : [];

    public void Add(FieldError fault) => faults.Add(fault);

    public void Required(string detail = "") => Add(FieldError.Required(Path, detail));

    public void Invalid(string detail) => Add(FieldError.Invalid(Path, Printed(Node), detail));

    public void InvalidAs(string printed, string detail) => Add(FieldError.Invalid(Path, printed, detail));

    public void InvalidText(string value, string detail) => Add(FieldError.InvalidString(Path, value, detail));

    public void Forbidden(string detail) => Add(FieldError.Forbidden(Path, detail));

    public void Duplicate() => Add(FieldError.Duplicate(Path, Text));

    public void Duplicate(string value) => Add(FieldError.Duplicate(Path, value));

    public void NotFound() => Add(FieldError.NotFound(Path, Text));

    public void TooLong(int maxBytes) => Add(FieldError.TooLong(Path, maxBytes));

    public void TooMany(int max) => Add(FieldError.TooMany(Path, Count, max));

    /// <summary>Refuses a value outside a set; an unset one passes.</summary>
    public void OneOf(params string[] supported)
    {
        if (IsSet && !supported.Contains(Text))
        {
            Add(FieldError.NotSupported(Path, Text, supported));
        }
    }

    /// <summary>Refuses a value outside a set, and none.</summary>
    public void RequiredOneOf(params string[] supported)
    {
        if (Text.Length == 0)
        {
            Required();
        }
        else
        {
            OneOf(supported);
        }
    }

    /// <summary>Refuses a string with each fault that a rule finds in it.</summary>
    public void Check(Func<string, IEnumerable<string>> rule) => Check(Text, rule);

    public void Check(string value, Func<string, IEnumerable<string>> rule)
    {
        foreach (var fault in rule(value))
        {
            InvalidText(value, fault);
        }
    }

    /// <summary>As <see cref="Check(Func{string, IEnumerable{string}})"/>, for a string that may be left out.</summary>
    public void CheckIfSet(Func<string, IEnumerable<string>> rule)
    {
        if (Text.Length > 0)
        {
            Check(rule);
        }
    }

    public void CheckRequired(Func<string, IEnumerable<string>> rule)
    {
        if (Text.Length == 0)
        {
            Required();
        }
        else
        {
            Check(rule);
        }
    }

    public void NotNegative()
    {
        if (Number < 0)
        {
            Invalid("must be greater than or equal to 0");
        }
    }

    public void InRange(long low, long high)
    {
        if (IsSet && (Number < low || Number > high))
        {
            Invalid($"must be between {low} and {high}, inclusive");
        }
    }

    public void Unchanged(JsonNode? old)
    {
        if (!JsonNode.DeepEquals(Node, old))
        {
            Invalid("field is immutable");
        }
    }

    /// <summary>A value as messages print it: strings quoted, numbers plain, the rest as JSON.</summary>
    public static string Printed(JsonNode? node) => node switch
    {
        null => "\"null\"",
        JsonValue v when v.TryGetValue<string>(out var text) => Quote(text),
        _ => System.Text.Encoding.UTF8.GetString(ObjectCodec.ToUtf8(node)),
    };

    private static string Quote(string s) => "\"" + s.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private static Field? Rebase(Field? field, List<FieldError> other) =>
        field is null ? null : new Field(field.Node, Rebase(field.parent, other), field.segment, other);
}

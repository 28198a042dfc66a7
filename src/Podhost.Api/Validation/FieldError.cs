namespace Podhost.Api.Validation;

/// <summary>One fault of one field, phrased as the API server phrases it.</summary>
/// <param name="Field">Path, for example <c>spec.containers[0].name</c>.</param>
/// <param name="Reason">Cause reason: FieldValueRequired, FieldValueInvalid, FieldValueNotSupported, FieldValueForbidden, …</param>
/// <param name="Body">Message without the path, for example <c>Required value: must be set</c>.</param>
public sealed record FieldError(string Field, string Reason, string Body)
{
    /// <summary><c>path: body</c>.</summary>
    public override string ToString() => $"{Field}: {Body}";

    /// <summary>A missing value.</summary>
    public static FieldError Required(string field, string detail = "") =>
        new(field, "FieldValueRequired", "Required value" + Suffix(detail));

    /// <summary>A wrong value. Strings are quoted, numbers and booleans plain, objects as JSON: pass it as it should be printed.</summary>
    public static FieldError Invalid(string field, string printedValue, string detail) =>
        new(field, "FieldValueInvalid", $"Invalid value: {printedValue}" + Suffix(detail));

    /// <summary>A wrong string, quoted.</summary>
    public static FieldError InvalidString(string field, string value, string detail) => Invalid(field, Quote(value), detail);

    /// <summary>A value outside a fixed set.</summary>
    public static FieldError NotSupported(string field, string value, IEnumerable<string> supported) =>
        new(field, "FieldValueNotSupported",
            $"Unsupported value: {Quote(value)}: supported values: {string.Join(", ", supported.Select(Quote))}");

    /// <summary>A value that may not be set here.</summary>
    public static FieldError Forbidden(string field, string detail) =>
        new(field, "FieldValueForbidden", "Forbidden" + Suffix(detail));

    /// <summary>A value that occurs twice in a list of unique values.</summary>
    public static FieldError Duplicate(string field, string value) =>
        new(field, "FieldValueDuplicate", $"Duplicate value: {Quote(value)}");

    /// <summary>A reference to something that does not exist.</summary>
    public static FieldError NotFound(string field, string value) =>
        new(field, "FieldValueNotFound", $"Not found: {Quote(value)}");

    /// <summary>A value of too many bytes.</summary>
    public static FieldError TooLong(string field, int maxBytes) =>
        new(field, "FieldValueTooLong", $"Too long: may not be more than {maxBytes} bytes");

    /// <summary>A list of too many items.</summary>
    public static FieldError TooMany(string field, int actual, int max) =>
        new(field, "FieldValueTooMany", $"Too many: {actual}: must have at most {max} items");

    private static string Quote(string s) => "\"" + s.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private static string Suffix(string detail) => detail.Length == 0 ? "" : ": " + detail;
}

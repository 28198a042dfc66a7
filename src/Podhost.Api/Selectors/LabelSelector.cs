using System.Text.Json.Nodes;

namespace Podhost.Api.Selectors;

/// <summary>A selector over labels.</summary>
public sealed class LabelSelector
{
    /// <summary>Parses the string form, for example <c>app=web,tier in (a, b),!old</c>.</summary>
    /// <exception cref="FormatException">It cannot be parsed; the message is upstream's.</exception>
    public static LabelSelector Parse(string selector) => throw new NotImplementedException();

    /// <summary>The selector of a LabelSelector object; null selects nothing, an empty object everything.</summary>
    /// <exception cref="FormatException">An unknown operator, or values that do not fit it.</exception>
    public static LabelSelector FromObject(JsonObject? selector) => throw new NotImplementedException();

    /// <summary>The selector of a plain map (a Service's spec.selector).</summary>
    public static LabelSelector FromMap(IReadOnlyDictionary<string, string> labels) => throw new NotImplementedException();

    /// <summary>True where the labels satisfy every requirement.</summary>
    public bool Matches(IReadOnlyDictionary<string, string>? labels) => throw new NotImplementedException();

    /// <summary>True where the labels (metadata.labels as JSON) satisfy every requirement.</summary>
    public bool Matches(JsonObject? labels) => throw new NotImplementedException();
}

namespace Podhost.Api.Selectors;

/// <summary>A selector over fields.</summary>
public sealed class FieldSelector
{
    /// <summary>Parses the string form, for example <c>spec.nodeName=n1,status.phase!=Failed</c>.</summary>
    /// <exception cref="FormatException">It cannot be parsed; the message is upstream's.</exception>
    public static FieldSelector Parse(string selector) => throw new NotImplementedException();

    /// <summary>The terms.</summary>
    public IReadOnlyList<FieldRequirement> Requirements { get; } = [];

    /// <summary>True where there are no terms.</summary>
    public bool IsEmpty => Requirements.Count == 0;

    /// <summary>True where the fields satisfy every term; an absent field counts as empty.</summary>
    /// <param name="field">The value of a field path, or null.</param>
    public bool Matches(Func<string, string?> field) => Requirements.All(r => (field(r.Field) ?? "") == r.Value != r.Negated);
}

/// <summary>One term of a field selector.</summary>
/// <param name="Field">Path, for example <c>metadata.name</c>.</param>
/// <param name="Value">Value to compare with.</param>
/// <param name="Negated">True for <c>!=</c>.</param>
public sealed record FieldRequirement(string Field, string Value, bool Negated);

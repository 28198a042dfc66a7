using System.Text.Json.Nodes;
using Podhost.Cel.Values;

namespace Podhost.Cel;

/// <summary>What an evaluation came to.</summary>
public readonly record struct CelOutcome
{
    /// <summary>The runtime value; null where there is an error.</summary>
    public object? Value { get; private init; }

    /// <summary>The error in cel-go's words, or null.</summary>
    public string? Error { get; private init; }

    /// <summary>True where the error is that the limit of the cost was passed.</summary>
    public bool IsTooCostly { get; private init; }

    /// <summary>What it cost.</summary>
    public long Cost { get; private init; }

    /// <summary>The value as a boolean, or null where it is none.</summary>
    public bool? AsBool => Value as bool?;

    /// <summary>The value as text, or null where it is none.</summary>
    public string? AsText => Value as string;

    /// <summary>True for the value null.</summary>
    public bool IsNull => Value is CelNull;

    /// <summary>The name of the value's type.</summary>
    public string TypeName => Value is null ? "error" : Values.Values.TypeOf(Value).ToString();

    /// <summary>The value as JSON.</summary>
    /// <exception cref="InvalidOperationException">The value has no form in JSON.</exception>
    public JsonNode? ToJson() => Value is null ? null : JsonValues.To(Value);

    /// <summary>Where the value holds an object literal whose name does not follow the fields that lead to it: what is wrong; else null.</summary>
    public string? TypeNameMismatch() => Value is null ? null : StructNames.Mismatch(Value);

    /// <summary>The outcome of what could not be evaluated.</summary>
    public static CelOutcome Failed(string error) => new() { Error = error };

    internal static CelOutcome Of(object value, long cost) =>
        value is CelError error ? new CelOutcome { Error = error.Message, Cost = cost } : new CelOutcome { Value = value, Cost = cost };

    internal static CelOutcome TooCostly(string message, long cost) => new() { Error = message, IsTooCostly = true, Cost = cost };
}

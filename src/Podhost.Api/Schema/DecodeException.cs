namespace Podhost.Api.Schema;

/// <summary>A value of the wrong type; the message is upstream's decode error.</summary>
/// <param name="message">The message.</param>
/// <param name="field">Path of the value with indices; empty: the object itself.</param>
public sealed class DecodeException(string message, string field = "") : Exception(message)
{
    /// <summary>Path of the value with indices, for example <c>spec.containers[0].ports</c>; empty: the object itself.</summary>
    public string Field { get; } = field;
}

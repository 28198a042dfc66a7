namespace Podhost.Api.Schema;

/// <summary>A value of the wrong type; the message is upstream's decode error.</summary>
internal sealed class DecodeException(string message) : Exception(message);

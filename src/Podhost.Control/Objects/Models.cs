using Podhost.Api.Objects;

namespace Podhost.Control.Objects;

/// <summary>Models as values.</summary>
internal static class Models
{
    /// <summary>True where both would be written as the same JSON: a status that is so already need not be written.</summary>
    public static bool Same<T>(T left, T right) => ObjectCodec.ToUtf8(left).AsSpan().SequenceEqual(ObjectCodec.ToUtf8(right));
}

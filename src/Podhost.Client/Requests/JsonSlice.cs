using System.Text.Json;

namespace Podhost.Client.Requests;

/// <summary>Cuts values out of JSON bytes.</summary>
internal static class JsonSlice
{
    /// <summary>The bytes of the value after the property name at which the reader stands; moves past it.</summary>
    internal static ReadOnlySpan<byte> Value(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8)
    {
        reader.Read();
        return Current(ref reader, utf8);
    }

    /// <summary>The bytes of the value at which the reader stands; moves to its end.</summary>
    internal static ReadOnlySpan<byte> Current(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return utf8[start..(int)reader.BytesConsumed];
    }
}

using System.Globalization;
using System.Text.Json.Nodes;

namespace Podhost.Api.Patching;

/// <summary>RFC 6901 pointers.</summary>
internal static class JsonPointer
{
    /// <summary>The unescaped tokens of a pointer; empty for the whole document.</summary>
    public static string[] Parse(string pointer)
    {
        if (pointer.Length == 0)
        {
            return [];
        }

        return pointer[0] == '/'
            ? [.. pointer[1..].Split('/').Select(Unescape)]
            : throw PatchFailure.Malformed($"invalid JSON pointer \"{pointer}\": it must be empty or start with '/'");
    }

    /// <summary>The node that a pointer names; false where a part of the path is missing.</summary>
    public static bool TryGet(JsonNode? root, ReadOnlySpan<string> path, out JsonNode? node)
    {
        node = root;
        foreach (var token in path)
        {
            switch (node)
            {
                case JsonObject obj when obj.TryGetPropertyValue(token, out var value):
                    node = value;
                    break;
                case JsonArray list when TryIndex(token, list.Count - 1, out var index):
                    node = list[index];
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    /// <summary>An index of a list: decimal without leading zeros, not above <paramref name="max"/>.</summary>
    public static bool TryIndex(string token, int max, out int index)
    {
        index = -1;
        return token.Length > 0 && (token.Length == 1 || token[0] != '0')
            && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out index) && index <= max;
    }

    private static string Unescape(string token) =>
        token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}

using System.Text.Json.Nodes;

namespace Podhost.Api.Patching;

/// <summary>RFC 7386.</summary>
public static class MergePatch
{
    /// <summary>Returns the patched document as a new one; the arguments stay as they are.</summary>
    public static JsonNode? Apply(JsonNode? original, JsonNode? patch)
    {
        if (patch is not JsonObject fields)
        {
            return patch?.DeepClone();
        }

        var result = original is JsonObject obj ? (JsonObject)obj.DeepClone() : [];
        foreach (var (name, value) in fields)
        {
            if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                result.TryGetPropertyValue(name, out var current);
                result[name] = Apply(current, value);
            }
        }

        return result;
    }
}

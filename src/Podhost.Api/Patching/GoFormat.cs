using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Api.Patching;

/// <summary>Values as upstream's messages print them (Go's %v of maps and lists).</summary>
internal static class GoFormat
{
    public static string Print(JsonNode? node) => node switch
    {
        null => "<nil>",
        JsonObject obj => "map[" + string.Join(' ', obj.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}:{Print(p.Value)}")) + "]",
        JsonArray list => "[" + string.Join(' ', list.Select(Print)) + "]",
        JsonValue v when v.GetValueKind() == JsonValueKind.String => v.GetValue<string>(),
        _ => node.ToJsonString(),
    };
}

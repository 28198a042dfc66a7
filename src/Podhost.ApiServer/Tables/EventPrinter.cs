using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>The events table.</summary>
internal sealed class EventPrinter : TablePrinter
{
    public override IReadOnlyList<TableColumn> Columns { get; } =
    [
        new("Last Seen"), new("Type"), new("Reason"), new("Object"), new("Subobject", Wide: true), new("Source", Wide: true), new("Message"),
        new("First Seen", Wide: true), new("Count", "integer", Wide: true), new("Name", Format: "name", Wide: true),
    ];

    public override IEnumerable<JsonNode?> Cells(JsonObject obj, DateTimeOffset now)
    {
        var e = obj;
        var first = FirstOf(Meta.Text(e["firstTimestamp"]), Meta.Text(e["eventTime"]));
        var last = FirstOf(Meta.Text(e["lastTimestamp"]), first);
        var count = Number(e["count"]);
        if (e["series"] is JsonObject series)
        {
            last = Meta.Text(series["lastObservedTime"]);
            count = Number(series["count"]);
        }

        return
        [
            Durations.Since(last, now),
            Meta.Text(e["type"]),
            Meta.Text(e["reason"]),
            Target(e),
            Meta.Text(Meta.At(e, "involvedObject", "fieldPath")),
            Source(e),
            Meta.Text(e["message"]).Trim(),
            Durations.Since(first, now),
            count == 0 ? 1 : count,
            Meta.Name(e),
        ];
    }

    private static string Target(JsonObject e)
    {
        var kind = Meta.Text(Meta.At(e, "involvedObject", "kind")).ToLowerInvariant();
        var name = Meta.Text(Meta.At(e, "involvedObject", "name"));
        return name.Length > 0 ? $"{kind}/{name}" : kind;
    }

    private static string Source(JsonObject e)
    {
        var component = FirstOf(Meta.Text(Meta.At(e, "source", "component")), Meta.Text(e["reportingComponent"]));
        var host = FirstOf(Meta.Text(Meta.At(e, "source", "host")), Meta.Text(e["reportingInstance"]));
        return host.Length > 0 ? $"{component}, {host}" : component;
    }

    private static string FirstOf(string a, string b) => a.Length > 0 ? a : b;

    private static long Number(JsonNode? node) => node is JsonValue v && v.TryGetValue(out long n) ? n : 0;
}

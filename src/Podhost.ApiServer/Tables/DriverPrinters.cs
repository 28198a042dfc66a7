using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>What describes storage drivers and their work.</summary>
internal static class DriverPrinters
{
    public static TablePrinter Drivers { get; } = new ColumnPrinter(
        [
            TablePrinter.Name, new("AttachRequired", "boolean"), new("PodInfoOnMount", "boolean"), new("StorageCapacity", "boolean"),
            new("TokenRequests"), new("RequiresRepublish", "boolean"), new("Modes"), TablePrinter.Age,
        ],
        (obj, now) =>
        [
            Meta.Name(obj), Spec(obj, "attachRequired") ?? true, Spec(obj, "podInfoOnMount") ?? false, Spec(obj, "storageCapacity") ?? false,
            Joined(Meta.At(obj, "spec", "tokenRequests"), r => Meta.Text(r["audience"])) is { Length: > 0 } audiences ? audiences : "<unset>",
            Spec(obj, "requiresRepublish") ?? false, Joined(Meta.At(obj, "spec", "volumeLifecycleModes"), Meta.Text), Durations.Age(obj, now),
        ]);

    public static TablePrinter Nodes { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Drivers", "integer"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), (Meta.At(obj, "spec", "drivers") as JsonArray)?.Count ?? 0, Durations.Age(obj, now)]);

    public static TablePrinter Capacities { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("StorageClassName"), new("Capacity"), TablePrinter.Age],
        (obj, now) =>
        [
            Meta.Name(obj), Meta.Text(obj["storageClassName"]), Meta.Text(obj["capacity"]) is { Length: > 0 } capacity ? capacity : "<unset>", Durations.Age(obj, now),
        ]);

    public static TablePrinter Attachments { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Attacher"), new("PV"), new("Node"), new("Attached", "boolean"), TablePrinter.Age],
        (obj, now) =>
        [
            Meta.Name(obj), Meta.Text(Spec(obj, "attacher")), Meta.Text(Meta.At(obj, "spec", "source", "persistentVolumeName")), Meta.Text(Spec(obj, "nodeName")),
            Meta.At(obj, "status", "attached")?.DeepClone() ?? false, Durations.Age(obj, now),
        ]);

    public static TablePrinter AttributesClasses { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("DriverName"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Meta.Text(obj["driverName"]), Durations.Age(obj, now)]);

    private static JsonNode? Spec(JsonObject obj, string field) => Meta.At(obj, "spec", field)?.DeepClone();

    private static string Joined(JsonNode? list, Func<JsonNode, string> text) => string.Join(',', (list as JsonArray ?? []).Select(n => text(n!)));
}

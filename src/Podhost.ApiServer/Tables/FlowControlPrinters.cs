using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>FlowSchemas and PriorityLevelConfigurations.</summary>
internal static class FlowControlPrinters
{
    private const string None = "<none>";

    public static TablePrinter Schemas { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("PriorityLevel"), new("MatchingPrecedence", "integer"), new("DistinguisherMethod"), TablePrinter.Age, new("MissingPL")],
        (obj, now) =>
        [
            Meta.Name(obj),
            Meta.Text(Meta.At(obj, "spec", "priorityLevelConfiguration", "name")),
            Meta.At(obj, "spec", "matchingPrecedence")?.DeepClone() ?? 0,
            Meta.Text(Meta.At(obj, "spec", "distinguisherMethod", "type")) is { Length: > 0 } method ? method : None,
            Durations.Age(obj, now),
            Dangling(obj),
        ]);

    public static TablePrinter Levels { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Type"), new("NominalConcurrencyShares"), new("Queues"), new("HandSize"), new("QueueLengthLimit"), TablePrinter.Age],
        (obj, now) =>
        [
            Meta.Name(obj),
            Meta.Text(Meta.At(obj, "spec", "type")),
            Number(Meta.At(obj, "spec", "limited", "nominalConcurrencyShares") ?? Meta.At(obj, "spec", "exempt", "nominalConcurrencyShares")),
            Queuing(obj, "queues"),
            Queuing(obj, "handSize"),
            Queuing(obj, "queueLengthLimit"),
            Durations.Age(obj, now),
        ]);

    private static string Dangling(JsonObject schema) => (Meta.At(schema, "status", "conditions") as JsonArray ?? []).OfType<JsonObject>()
        .Where(c => Meta.Text(c["type"]) == "Dangling").Select(c => Meta.Text(c["status"])).FirstOrDefault("?");

    private static string Queuing(JsonObject level, string field) => Number(Meta.At(level, "spec", "limited", "limitResponse", "queuing", field));

    private static string Number(JsonNode? node) => node?.ToJsonString() ?? None;
}

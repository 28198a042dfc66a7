using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>Kinds that need no more than a few cells.</summary>
internal static class SmallPrinters
{
    public static TablePrinter ConfigMaps { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Data", "integer"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Count(obj["data"]) + Count(obj["binaryData"]), Durations.Age(obj, now)]);

    public static TablePrinter Secrets { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Type"), new("Data", "integer"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Meta.Text(obj["type"]), Count(obj["data"]), Durations.Age(obj, now)]);

    public static TablePrinter ServiceAccounts { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Secrets", "integer"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), (obj["secrets"] as JsonArray)?.Count ?? 0, Durations.Age(obj, now)]);

    public static TablePrinter Namespaces { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Status"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Meta.Text(Meta.At(obj, "status", "phase")), Durations.Age(obj, now)]);

    public static TablePrinter Leases { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Holder"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Meta.Text(Meta.At(obj, "spec", "holderIdentity")), Durations.Age(obj, now)]);

    public static TablePrinter PriorityClasses { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Value", "integer"), new("Global-Default", "boolean"), TablePrinter.Age, new("PreemptionPolicy")],
        (obj, now) =>
        [
            Meta.Name(obj),
            obj["value"]?.DeepClone() ?? 0,
            obj["globalDefault"]?.DeepClone() ?? false,
            Durations.Age(obj, now),
            Meta.Text(obj["preemptionPolicy"]) is { Length: > 0 } policy ? policy : "PreemptLowerPriority",
        ]);

    public static TablePrinter RuntimeClasses { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Handler"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Meta.Text(obj["handler"]), Durations.Age(obj, now)]);

    public static TablePrinter Roles { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Created At")],
        (obj, _) => [Meta.Name(obj), Meta.Get(obj, "creationTimestamp")]);

    public static TablePrinter RoleBindings { get; } = new ColumnPrinter(
        [
            TablePrinter.Name, new("Role"), TablePrinter.Age, new("Users", Wide: true), new("Groups", Wide: true), new("ServiceAccounts", Wide: true),
        ],
        (obj, now) =>
        [
            Meta.Name(obj),
            $"{Meta.Text(Meta.At(obj, "roleRef", "kind"))}/{Meta.Text(Meta.At(obj, "roleRef", "name"))}",
            Durations.Age(obj, now),
            Subjects(obj, "User"),
            Subjects(obj, "Group"),
            Subjects(obj, "ServiceAccount"),
        ]);

    public static TablePrinter Definitions { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Created At", "date")],
        (obj, _) => [Meta.Name(obj), Meta.Get(obj, "creationTimestamp")]);

    public static TablePrinter ApiServices { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Service"), new("Available"), TablePrinter.Age],
        (obj, now) =>
        [
            Meta.Name(obj),
            "Local",
            Meta.Text((Meta.At(obj, "status", "conditions") as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(c => Meta.Text(c["type"]) == "Available")?["status"]),
            Durations.Age(obj, now),
        ]);

    public static TablePrinter Webhooks { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Webhooks", "integer", Description: "Webhooks indicates the number of webhooks registered in this configuration"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), (obj["webhooks"] as JsonArray)?.Count ?? 0, Durations.Age(obj, now)]);

    public static TablePrinter NameAndAge { get; } = new ColumnPrinter(
        [TablePrinter.Name, TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Durations.Age(obj, now)]);

    private static string Subjects(JsonObject obj, string kind) => string.Join(", ", PodSummary.Objects(obj["subjects"])
        .Where(s => Meta.Text(s["kind"]) == kind)
        .Select(s => kind == "ServiceAccount" ? $"{Meta.Text(s["namespace"])}/{Meta.Text(s["name"])}" : Meta.Text(s["name"])));

    private static int Count(JsonNode? map) => (map as JsonObject)?.Count ?? 0;
}

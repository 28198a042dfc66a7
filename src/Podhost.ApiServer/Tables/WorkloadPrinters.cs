using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Api.Selectors;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>The kinds that make pods.</summary>
internal static class WorkloadPrinters
{
    private static readonly TableColumn[] Template = [new("Containers", Wide: true), new("Images", Wide: true), new("Selector", Wide: true)];

    public static TablePrinter Deployments { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Ready"), new("Up-to-date"), new("Available"), TablePrinter.Age, .. Template],
        (obj, now) =>
        [
            Meta.Name(obj), $"{Count(obj, "status", "readyReplicas")}/{Count(obj, "spec", "replicas")}", Count(obj, "status", "updatedReplicas"),
            Count(obj, "status", "availableReplicas"), Durations.Age(obj, now), .. TemplateCells(obj),
        ]);

    public static TablePrinter ReplicaSets { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Desired", "integer"), new("Current", "integer"), new("Ready", "integer"), TablePrinter.Age, .. Template],
        (obj, now) =>
        [
            Meta.Name(obj), Count(obj, "spec", "replicas"), Count(obj, "status", "replicas"), Count(obj, "status", "readyReplicas"), Durations.Age(obj, now),
            .. TemplateCells(obj),
        ]);

    public static TablePrinter DaemonSets { get; } = new ColumnPrinter(
        [
            TablePrinter.Name, new("Desired", "integer"), new("Current", "integer"), new("Ready", "integer"), new("Up-to-date", "integer"),
            new("Available", "integer"), new("Node Selector"), TablePrinter.Age, .. Template,
        ],
        (obj, now) =>
        [
            Meta.Name(obj), Count(obj, "status", "desiredNumberScheduled"), Count(obj, "status", "currentNumberScheduled"), Count(obj, "status", "numberReady"),
            Count(obj, "status", "updatedNumberScheduled"), Count(obj, "status", "numberAvailable"), NodeSelector(obj), Durations.Age(obj, now), .. TemplateCells(obj),
        ]);

    public static TablePrinter StatefulSets { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Ready"), TablePrinter.Age, new("Containers", Wide: true), new("Images", Wide: true)],
        (obj, now) => [Meta.Name(obj), $"{Count(obj, "status", "readyReplicas")}/{Count(obj, "spec", "replicas")}", Durations.Age(obj, now), .. TemplateCells(obj).Take(2)]);

    public static TablePrinter Revisions { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Controller"), new("Revision", "integer"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Controller(obj), Count(obj, "revision"), Durations.Age(obj, now)]);

    public static TablePrinter PodTemplates { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Containers"), new("Images"), new("Pod Labels")],
        (obj, _) => [Meta.Name(obj), .. ContainerCells(obj["template"] as JsonObject ?? []), Labels(obj, "template", "metadata", "labels")]);

    public static TablePrinter Jobs { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Status"), new("Completions"), new("Duration"), TablePrinter.Age, .. Template],
        (obj, now) => [Meta.Name(obj), JobStatus(obj), Completions(obj), Duration(obj, now), Durations.Age(obj, now), .. TemplateCells(obj)]);

    public static TablePrinter CronJobs { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Schedule"), new("Timezone"), new("Suspend", "boolean"), new("Active", "integer"), new("Last Schedule"), TablePrinter.Age, .. Template],
        (obj, now) =>
        [
            Meta.Name(obj), Text(obj, "spec", "schedule"), Text(obj, "spec", "timeZone") is { Length: > 0 } zone ? zone : "<none>",
            Meta.At(obj, "spec", "suspend") is JsonValue v && v.TryGetValue<bool>(out var suspended) && suspended ? "True" : "False",
            (Meta.At(obj, "status", "active") as JsonArray)?.Count ?? 0,
            Time(obj, "lastScheduleTime") is { } last ? Durations.Human(now - last) : "<none>", Durations.Age(obj, now),
            .. TemplateCells(Meta.At(obj, "spec", "jobTemplate") as JsonObject ?? []),
        ]);

    private static string NodeSelector(JsonObject obj) => Labels(obj, "spec", "template", "spec", "nodeSelector");

    private static string Labels(JsonObject obj, params string[] path) => Meta.At(obj, path) is JsonObject { Count: > 0 } labels
        ? string.Join(',', labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={Meta.Text(l.Value)}"))
        : "<none>";

    // As upstream prints it: kind, group and name of the controller.
    private static string Controller(JsonObject obj)
    {
        var owner = (Meta.Of(obj)["ownerReferences"] as JsonArray ?? []).OfType<JsonObject>()
            .FirstOrDefault(r => r["controller"] is JsonValue v && v.TryGetValue<bool>(out var controls) && controls);
        if (owner is null)
        {
            return "<none>";
        }

        var version = Meta.Text(owner["apiVersion"]);
        var group = version.Contains('/', StringComparison.Ordinal) ? "." + version.Split('/')[0] : "";
        return $"{Meta.Text(owner["kind"]).ToLowerInvariant()}{group}/{Meta.Text(owner["name"])}";
    }

    private static string JobStatus(JsonObject job)
    {
        foreach (var (type, shown) in (ReadOnlySpan<(string, string)>)[("Complete", "Complete"), ("Failed", "Failed")])
        {
            if (HasCondition(job, type))
            {
                return shown;
            }
        }

        return Meta.IsDeleting(job) ? "Terminating"
            : HasCondition(job, "Suspended") ? "Suspended"
            : HasCondition(job, "FailureTarget") ? "FailureTarget"
            : HasCondition(job, "SuccessCriteriaMet") ? "SuccessCriteriaMet"
            : "Running";
    }

    private static bool HasCondition(JsonObject job, string type) => (Meta.At(job, "status", "conditions") as JsonArray ?? []).OfType<JsonObject>()
        .Any(c => Meta.Text(c["type"]) == type && Meta.Text(c["status"]) == "True");

    private static string Completions(JsonObject job)
    {
        var succeeded = Count(job, "status", "succeeded");
        return Meta.At(job, "spec", "completions") is not null ? $"{succeeded}/{Count(job, "spec", "completions")}"
            : Count(job, "spec", "parallelism") is > 1 and var parallel ? $"{succeeded}/1 of {parallel}"
            : $"{succeeded}/1";
    }

    private static string Duration(JsonObject job, DateTimeOffset now) =>
        Time(job, "startTime") is not { } start ? "" : Durations.Human((Time(job, "completionTime") ?? now) - start);

    private static IEnumerable<JsonNode?> TemplateCells(JsonObject obj) =>
    [
        .. ContainerCells(Meta.At(obj, "spec", "template") as JsonObject ?? []),
        Meta.At(obj, "spec", "selector") is JsonObject ? Meta.SelectorOf(obj).ToString() : "<none>",
    ];

    private static IEnumerable<JsonNode?> ContainerCells(JsonObject template)
    {
        var containers = (Meta.At(template, "spec", "containers") as JsonArray ?? []).OfType<JsonObject>().ToList();
        yield return string.Join(',', containers.Select(c => Meta.Text(c["name"])));
        yield return string.Join(',', containers.Select(c => Meta.Text(c["image"])));
    }

    private static long Count(JsonObject obj, params string[] path) => Meta.At(obj, path) is JsonValue v && v.TryGetValue<long>(out var n) ? n : 0;

    private static string Text(JsonObject obj, params string[] path) => Meta.Text(Meta.At(obj, path));

    private static DateTimeOffset? Time(JsonObject obj, string field) =>
        DateTimeOffset.TryParse(Text(obj, "status", field), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}

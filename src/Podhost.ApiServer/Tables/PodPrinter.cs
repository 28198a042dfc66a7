using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>The pods table: what the Status column says follows upstream's printPod.</summary>
internal sealed class PodPrinter : TablePrinter
{
    public override IReadOnlyList<TableColumn> Columns { get; } =
    [
        Name,
        new("Ready", Description: "The aggregate readiness state of this pod for accepting traffic."),
        new("Status", Description: "The aggregate status of the containers in this pod."),
        new("Restarts", Description: "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted."),
        Age,
        new("IP", Wide: true, Description: "IP address allocated to the pod."),
        new("Node", Wide: true, Description: "Name of the node that the pod runs on."),
        new("Nominated Node", Wide: true, Description: "Node that the pod is going to run on when others have made room for it."),
        new("Readiness Gates", Wide: true, Description: "Readiness gates that are true, of all that the pod names."),
    ];

    public override IEnumerable<JsonNode?> Cells(JsonObject obj, DateTimeOffset now)
    {
        var view = PodSummary.Of(obj);
        var restarts = view.Restarts.ToString(CultureInfo.InvariantCulture);
        if (view.Restarts != 0 && view.LastRestart is { } last)
        {
            restarts += $" ({Durations.Human(now - last)} ago)";
        }

        return
        [
            Meta.Name(obj),
            $"{view.Ready}/{view.Total}",
            view.Reason,
            restarts,
            Durations.Age(obj, now),
            OrNone(Meta.Text((Meta.At(obj, "status", "podIPs") as JsonArray)?.FirstOrDefault()?["ip"])),
            OrNone(Meta.Text(Meta.At(obj, "spec", "nodeName"))),
            OrNone(Meta.Text(Meta.At(obj, "status", "nominatedNodeName"))),
            ReadinessGates(obj),
        ];
    }

    public override JsonArray? Conditions(JsonObject obj) => Meta.Text(Meta.At(obj, "status", "phase")) switch
    {
        "Succeeded" => Completed("Succeeded", "The pod has completed successfully."),
        "Failed" => Completed("Failed", "The pod failed."),
        _ => null,
    };

    private static JsonArray Completed(string reason, string message) => new(new JsonObject
    {
        ["type"] = "Completed",
        ["status"] = "True",
        ["reason"] = reason,
        ["message"] = message,
    });

    private static string ReadinessGates(JsonObject obj)
    {
        if (Meta.At(obj, "spec", "readinessGates") is not JsonArray { Count: > 0 } gates)
        {
            return "<none>";
        }

        var conditions = PodSummary.Objects(Meta.At(obj, "status", "conditions")).ToList();
        var met = gates.OfType<JsonObject>().Count(g => conditions.FirstOrDefault(c =>
            Meta.Text(c["type"]) == Meta.Text(g["conditionType"])) is { } c && Meta.Text(c["status"]) == "True");
        return $"{met}/{gates.Count}";
    }

    private static string OrNone(string text) => text.Length == 0 ? "<none>" : text;
}

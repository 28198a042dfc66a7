using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>Services, Endpoints and EndpointSlices.</summary>
internal static class NetworkPrinters
{
    private const int MaxShown = 3;

    public static TablePrinter Services { get; } = new ColumnPrinter(
        [
            TablePrinter.Name, new("Type"), new("Cluster-IP"), new("External-IP"), new("Port(s)"), TablePrinter.Age, new("Selector", Wide: true),
        ],
        (obj, now) =>
        [
            Meta.Name(obj),
            Meta.Text(Meta.At(obj, "spec", "type")),
            (Meta.At(obj, "spec", "clusterIPs") as JsonArray)?.Select(Meta.Text).FirstOrDefault() ?? "<none>",
            ExternalIp(obj),
            OrNone(string.Join(",", PodSummary.Objects(Meta.At(obj, "spec", "ports")).Select(ServicePort))),
            Durations.Age(obj, now),
            OrNone(Labels(Meta.At(obj, "spec", "selector"))),
        ]);

    public static TablePrinter Endpoints { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Endpoints"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Shortened(EndpointTexts(obj), "<none>"), Durations.Age(obj, now)]);

    public static TablePrinter EndpointSlices { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("AddressType"), new("Ports"), new("Endpoints"), TablePrinter.Age],
        (obj, now) =>
        [
            Meta.Name(obj),
            Meta.Text(obj["addressType"]),
            Shortened(PodSummary.Objects(obj["ports"]).Select(p => p["port"] is { } port ? port.ToString() : "*"), "<unset>"),
            Shortened(PodSummary.Objects(obj["endpoints"]).SelectMany(e => (e["addresses"] as JsonArray ?? []).Select(Meta.Text)), "<unset>"),
            Durations.Age(obj, now),
        ]);

    /// <summary>Labels as <c>a=b,c=d</c>, sorted.</summary>
    public static string Labels(JsonNode? labels) => string.Join(
        ",", (labels as JsonObject ?? []).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={Meta.Text(l.Value)}"));

    private static string ExternalIp(JsonObject obj)
    {
        var external = (Meta.At(obj, "spec", "externalIPs") as JsonArray)?.Select(Meta.Text).ToList() ?? [];
        switch (Meta.Text(Meta.At(obj, "spec", "type")))
        {
            case "ClusterIP" or "NodePort":
                return OrNone(string.Join(",", external));
            case "LoadBalancer":
                var ingress = PodSummary.Objects(Meta.At(obj, "status", "loadBalancer", "ingress"))
                    .Select(i => Meta.Text(i["ip"]) is { Length: > 0 } ip ? ip : Meta.Text(i["hostname"]))
                    .Where(t => t.Length > 0)
                    .Order(StringComparer.Ordinal);
                var all = string.Join(",", ingress.Concat(external));
                return all.Length == 0 ? "<pending>" : all;
            case "ExternalName":
                return Meta.Text(Meta.At(obj, "spec", "externalName"));
            default:
                return Durations.Unknown;
        }
    }

    private static string ServicePort(JsonObject port) => port["nodePort"] is JsonValue v && v.TryGetValue(out long node) && node > 0
        ? string.Create(CultureInfo.InvariantCulture, $"{port["port"]}:{node}/{Meta.Text(port["protocol"])}")
        : $"{port["port"]}/{Meta.Text(port["protocol"])}";

    private static IEnumerable<string> EndpointTexts(JsonObject obj)
    {
        foreach (var subset in PodSummary.Objects(obj["subsets"]))
        {
            var addresses = PodSummary.Objects(subset["addresses"]).Select(a => Meta.Text(a["ip"])).ToList();
            var ports = PodSummary.Objects(subset["ports"]).ToList();
            if (ports.Count == 0)
            {
                // A headless service without ports shows its addresses alone.
                foreach (var address in addresses)
                {
                    yield return address;
                }
            }

            foreach (var port in ports)
            {
                foreach (var address in addresses)
                {
                    yield return address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port["port"]}" : $"{address}:{port["port"]}";
                }
            }
        }
    }

    private static string Shortened(IEnumerable<string> texts, string none)
    {
        var all = texts.ToList();
        if (all.Count == 0)
        {
            return none;
        }

        var shown = string.Join(",", all.Take(MaxShown));
        return all.Count > MaxShown ? $"{shown} + {all.Count - MaxShown} more..." : shown;
    }

    private static string OrNone(string text) => text.Length == 0 ? "<none>" : text;
}

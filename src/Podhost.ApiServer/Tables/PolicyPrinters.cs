using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>ResourceQuotas, LimitRanges, PodDisruptionBudgets and CertificateSigningRequests.</summary>
internal static class PolicyPrinters
{
    public static TablePrinter Quotas { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Request"), new("Limit"), TablePrinter.Age],
        (obj, now) => [Meta.Name(obj), Amounts(obj, limits: false), Amounts(obj, limits: true), Durations.Age(obj, now)]);

    public static TablePrinter LimitRanges { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Created At")], (obj, _) => [Meta.Name(obj), Meta.Get(obj, "creationTimestamp")]);

    public static TablePrinter DisruptionBudgets { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Min Available"), new("Max Unavailable"), new("Allowed Disruptions", "integer"), TablePrinter.Age],
        (obj, now) =>
        [
            Meta.Name(obj), Meta.At(obj, "spec", "minAvailable")?.ToString() ?? "N/A", Meta.At(obj, "spec", "maxUnavailable")?.ToString() ?? "N/A",
            Meta.At(obj, "status", "disruptionsAllowed")?.DeepClone() ?? 0, Durations.Age(obj, now),
        ]);

    public static TablePrinter SigningRequests { get; } = new ColumnPrinter(
        [TablePrinter.Name, TablePrinter.Age, new("SignerName"), new("Requestor"), new("RequestedDuration"), new("Condition")],
        (obj, now) =>
        [
            Meta.Name(obj), Durations.Age(obj, now), Meta.Text(Meta.At(obj, "spec", "signerName")), Meta.Text(Meta.At(obj, "spec", "username")),
            Meta.At(obj, "spec", "expirationSeconds") is JsonValue v && v.TryGetValue<long>(out var seconds) ? Durations.Human(TimeSpan.FromSeconds(seconds)) : "<none>",
            Condition(obj),
        ]);

    private static string Condition(JsonObject request)
    {
        var types = (Meta.At(request, "status", "conditions") as JsonArray ?? []).Select(c => Meta.Text(c?["type"])).ToHashSet();
        return (types.Contains("Denied") ? "Denied" : types.Contains("Approved") ? "Approved" : "Pending")
            + (types.Contains("Failed") ? ",Failed" : "")
            + (Meta.Text(Meta.At(request, "status", "certificate")).Length > 0 ? ",Issued" : "");
    }

    private static string Amounts(JsonObject quota, bool limits) => string.Join(", ", (Meta.At(quota, "status", "hard") as JsonObject ?? [])
        .Where(h => h.Key.StartsWith("limits.", StringComparison.Ordinal) == limits)
        .OrderBy(h => h.Key, StringComparer.Ordinal)
        .Select(h => $"{h.Key}: {Used(quota, h.Key)}/{Meta.Text(h.Value)}"));

    private static string Used(JsonObject quota, string name) => Meta.Text((Meta.At(quota, "status", "used") as JsonObject)?[name]) is { Length: > 0 } used ? used : "0";
}

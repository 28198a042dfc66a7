using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>PersistentVolumes and their claims.</summary>
internal static class VolumePrinters
{
    private const string ClassAnnotation = "volume.beta.kubernetes.io/storage-class";

    public static TablePrinter Volumes { get; } = new ColumnPrinter(
        [
            TablePrinter.Name, new("Capacity"), new("Access Modes"), new("Reclaim Policy"), new("Status"), new("Claim"), new("StorageClass"),
            new("VolumeAttributesClass"), new("Reason"), TablePrinter.Age, new("VolumeMode", Wide: true),
        ],
        (obj, now) =>
        [
            Meta.Name(obj),
            Text(obj, "spec", "capacity", "storage"),
            Modes(Meta.At(obj, "spec", "accessModes")),
            Text(obj, "spec", "persistentVolumeReclaimPolicy"),
            Phase(obj),
            Claim(obj),
            Class(obj),
            Unset(Text(obj, "spec", "volumeAttributesClassName")),
            Text(obj, "status", "reason"),
            Durations.Age(obj, now),
            Unset(Text(obj, "spec", "volumeMode")),
        ]);

    public static TablePrinter Claims { get; } = new ColumnPrinter(
        [
            TablePrinter.Name, new("Status"), new("Volume"), new("Capacity"), new("Access Modes"), new("StorageClass"),
            new("VolumeAttributesClass"), TablePrinter.Age, new("VolumeMode", Wide: true),
        ],
        (obj, now) =>
        {
            var bound = Text(obj, "spec", "volumeName").Length > 0;
            return
            [
                Meta.Name(obj),
                Phase(obj),
                Text(obj, "spec", "volumeName"),
                bound ? Text(obj, "status", "capacity", "storage") : "",
                bound ? Modes(Meta.At(obj, "status", "accessModes")) : "",
                Class(obj),
                Unset(Text(obj, "spec", "volumeAttributesClassName")),
                Durations.Age(obj, now),
                Unset(Text(obj, "spec", "volumeMode")),
            ];
        });

    public static TablePrinter Classes { get; } = new ColumnPrinter(
        [TablePrinter.Name, new("Provisioner"), new("ReclaimPolicy"), new("VolumeBindingMode"), new("AllowVolumeExpansion"), TablePrinter.Age],
        (obj, now) =>
        [
            Meta.Name(obj) + (Text(obj, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") == "true" ? " (default)" : ""),
            Text(obj, "provisioner"),
            Text(obj, "reclaimPolicy"),
            Text(obj, "volumeBindingMode"),
            obj["allowVolumeExpansion"] is JsonValue v && v.TryGetValue(out bool allowed) && allowed,
            Durations.Age(obj, now),
        ]);

    private static string Phase(JsonObject obj) => Meta.IsDeleting(obj) ? "Terminating" : Text(obj, "status", "phase");

    private static string Claim(JsonObject obj) => Meta.At(obj, "spec", "claimRef") is JsonObject claim
        ? $"{Meta.Text(claim["namespace"])}/{Meta.Text(claim["name"])}"
        : "";

    private static string Class(JsonObject obj) =>
        Text(obj, "metadata", "annotations", ClassAnnotation) is { Length: > 0 } old ? old : Text(obj, "spec", "storageClassName");

    private static string Modes(JsonNode? modes)
    {
        var all = (modes as JsonArray)?.Select(Meta.Text).ToHashSet(StringComparer.Ordinal) ?? [];
        (string Mode, string Short)[] order = [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
        return string.Join(",", order.Where(m => all.Contains(m.Mode)).Select(m => m.Short));
    }

    private static string Unset(string text) => text.Length == 0 ? "<unset>" : text;

    private static string Text(JsonObject obj, params ReadOnlySpan<string> path) => Meta.Text(Meta.At(obj, path));
}

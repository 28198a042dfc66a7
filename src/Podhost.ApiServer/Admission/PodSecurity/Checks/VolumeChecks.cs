using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity.Checks;

/// <summary>Volumes: no hostPath; restricted pods only use kinds that hold data of their own or of the API.</summary>
internal static class VolumeChecks
{
    private static readonly string[] Allowed =
        ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"];

    public static PolicyCheck HostPathVolumes { get; } = new("hostPathVolumes", PolicyLevel.Baseline, [(0, CheckHostPath)]);

    public static PolicyCheck RestrictedVolumes { get; } = new("restrictedVolumes", PolicyLevel.Restricted, [(0, CheckKinds)], Overrides: "hostPathVolumes");

    private static Violation? CheckHostPath(PolicyPod pod)
    {
        string[] names = [.. pod.Volumes.Where(v => v["hostPath"] is JsonObject).Select(v => Meta.Text(v["name"]))];
        return names.Length == 0 ? null : new Violation("hostPath volumes", $"{Wording.Plural("volume", "volumes", names.Length)} {Wording.Quote(names)}");
    }

    private static Violation? CheckKinds(PolicyPod pod)
    {
        var bad = pod.Volumes.Where(v => !Allowed.Any(kind => v[kind] is JsonObject)).ToList();
        if (bad.Count == 0)
        {
            return null;
        }

        var kinds = new SortedSet<string>(bad.Select(KindOf), StringComparer.Ordinal);
        return new Violation("restricted volume types",
            $"{Wording.Plural("volume", "volumes", bad.Count)} {Wording.Quote(bad.Select(v => Meta.Text(v["name"])))} "
            + $"{Wording.Plural("uses", "use", bad.Count)} restricted volume {Wording.Plural("type", "types", kinds.Count)} {Wording.Quote(kinds)}");
    }

    private static string KindOf(JsonObject volume) => volume.FirstOrDefault(p => p.Key != "name" && p.Value is JsonObject).Key ?? "unknown";
}

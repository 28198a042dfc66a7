using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity.Checks;

/// <summary>Probes and hooks reach the pod, not another host that its author names. Since v1.34.</summary>
internal static class ProbeHostCheck
{
    public static PolicyCheck HostProbes { get; } = new("hostProbesAndHostLifecycle", PolicyLevel.Baseline, [(34, Check)]);

    private static Violation? Check(PolicyPod pod)
    {
        var hosts = new SortedSet<string>(StringComparer.Ordinal);
        var containers = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var container in pod.Containers)
        {
            string[] own = [.. Handlers(container.Json).SelectMany(Hosts)];
            hosts.UnionWith(own);
            if (own.Length > 0)
            {
                containers.Add(container.Name);
            }
        }

        return containers.Count == 0 ? null : new Violation("probe or lifecycle host",
            $"{Wording.Containers(containers)} {Wording.Plural("uses", "use", containers.Count)} "
            + $"{Wording.Plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.Count)} {Wording.Quote(hosts)}");
    }

    private static IEnumerable<JsonObject> Handlers(JsonObject container)
    {
        var lifecycle = container["lifecycle"] as JsonObject;
        return ((JsonNode?[])[container["livenessProbe"], container["readinessProbe"], container["startupProbe"], lifecycle?["postStart"], lifecycle?["preStop"]])
            .OfType<JsonObject>();
    }

    private static IEnumerable<string> Hosts(JsonObject handler) =>
        ((JsonNode?[])[handler["httpGet"], handler["tcpSocket"]]).OfType<JsonObject>().Select(a => Meta.Text(a["host"])).Where(h => h.Length > 0);
}

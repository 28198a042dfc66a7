using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity.Checks;

/// <summary>What a pod may share with its node: namespaces, ports, sysctls, the AppArmor confinement.</summary>
internal static class HostChecks
{
    private const string AppArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

    private static readonly string[] Sysctls10 =
    [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
    ];

    private static readonly string[] Sysctls127 = [.. Sysctls10, "net.ipv4.ip_local_reserved_ports"];

    private static readonly string[] Sysctls129 =
    [
        .. Sysctls127, "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
    ];

    private static readonly string[] Sysctls132 = [.. Sysctls129, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

    public static PolicyCheck HostNamespaces { get; } = new("hostNamespaces", PolicyLevel.Baseline, [(0, CheckNamespaces)]);

    public static PolicyCheck HostPorts { get; } = new("hostPorts", PolicyLevel.Baseline, [(0, CheckPorts)]);

    public static PolicyCheck AppArmorProfile { get; } = new("appArmorProfile", PolicyLevel.Baseline, [(0, CheckAppArmor)]);

    public static PolicyCheck WindowsHostProcess { get; } = new("windowsHostProcess", PolicyLevel.Baseline, [(0, CheckHostProcess)]);

    public static PolicyCheck Sysctls { get; } = new("sysctls", PolicyLevel.Baseline,
    [
        (0, pod => CheckSysctls(pod, Sysctls10)), (27, pod => CheckSysctls(pod, Sysctls127)),
        (29, pod => CheckSysctls(pod, Sysctls129)), (32, pod => CheckSysctls(pod, Sysctls132)),
    ]);

    private static Violation? CheckNamespaces(PolicyPod pod)
    {
        string[] shared = [.. ((string[])["hostIPC", "hostNetwork", "hostPID"]).Where(field => PolicyPod.Flag(pod.Spec[field]) == true).Select(f => f + "=true")];
        return shared.Length == 0 ? null : new Violation("host namespaces", string.Join(", ", shared));
    }

    private static Violation? CheckPorts(PolicyPod pod)
    {
        var ports = new SortedSet<string>(StringComparer.Ordinal);
        var containers = new List<string>();
        foreach (var container in pod.Containers)
        {
            var own = (container.Json["ports"] as JsonArray ?? []).OfType<JsonObject>().Select(p => PolicyPod.Number(p["hostPort"]) ?? 0).Where(p => p != 0).ToList();
            ports.UnionWith(own.Select(p => p.ToString(CultureInfo.InvariantCulture)));
            if (own.Count > 0)
            {
                containers.Add(container.Name);
            }
        }

        return containers.Count == 0 ? null : new Violation("hostPort",
            $"{Wording.Containers(containers)} {Wording.Plural("uses", "use", containers.Count)} {Wording.Plural("hostPort", "hostPorts", ports.Count)} {string.Join(", ", ports)}");
    }

    private static Violation? CheckAppArmor(PolicyPod pod)
    {
        var values = new SortedSet<string>(StringComparer.Ordinal);
        bool IsBad(JsonObject? context)
        {
            var bad = context?["appArmorProfile"] is JsonObject profile && Meta.Text(profile["type"]) is not ("RuntimeDefault" or "Localhost");
            return bad && (values.Add(Meta.Text(context!["appArmorProfile"]!["type"])) || bad);
        }

        var podIsBad = IsBad(pod.SecurityContext);
        string[] containers = [.. pod.Containers.Where(c => IsBad(c.SecurityContext)).Select(c => c.Name)];
        string[] annotations =
        [
            .. pod.Annotations.Where(a => a.Key.StartsWith(AppArmorPrefix, StringComparison.Ordinal) && !IsAllowedAnnotation(Meta.Text(a.Value)))
                .Select(a => $"{a.Key}=\"{Meta.Text(a.Value)}\"").Order(StringComparer.Ordinal),
        ];
        string?[] setters =
        [
            Wording.Setters(podIsBad, containers), annotations.Length == 0 ? null : Wording.Plural("annotation", "annotations", annotations.Length),
        ];
        string[] all = [.. values, .. annotations];
        return all.Length == 0 ? null : new Violation(
            Wording.Plural("forbidden AppArmor profile", "forbidden AppArmor profiles", all.Length),
            $"{string.Join(" and ", setters.OfType<string>())} must not set AppArmor profile type to {Wording.Quote(all)}");
    }

    private static bool IsAllowedAnnotation(string value) =>
        value.Length == 0 || value == "runtime/default" || value.StartsWith("localhost/", StringComparison.Ordinal);

    private static Violation? CheckHostProcess(PolicyPod pod)
    {
        static bool IsBad(JsonObject? context) => PolicyPod.Flag((context?["windowsOptions"] as JsonObject)?["hostProcess"]) == true;
        string[] containers = [.. pod.Containers.Where(c => IsBad(c.SecurityContext)).Select(c => c.Name)];
        return Wording.Setters(IsBad(pod.SecurityContext), containers) is { } setters
            ? new Violation("hostProcess", $"{setters} must not set securityContext.windowsOptions.hostProcess=true")
            : null;
    }

    private static Violation? CheckSysctls(PolicyPod pod, string[] allowed)
    {
        string[] forbidden =
        [
            .. (pod.SecurityContext?["sysctls"] as JsonArray ?? []).OfType<JsonObject>().Select(s => Meta.Text(s["name"])).Where(n => !allowed.Contains(n, StringComparer.Ordinal)),
        ];
        return forbidden.Length == 0 ? null : new Violation("forbidden sysctls", string.Join(", ", forbidden));
    }
}

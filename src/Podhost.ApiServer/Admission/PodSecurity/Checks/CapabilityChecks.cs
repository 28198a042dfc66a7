using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity.Checks;

/// <summary>Capabilities: none beyond the runtime's default set; restricted pods drop all and may add NET_BIND_SERVICE.</summary>
internal static class CapabilityChecks
{
    private static readonly string[] DefaultSet =
    [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ];

    public static PolicyCheck Baseline { get; } = new("capabilities_baseline", PolicyLevel.Baseline, [(0, CheckBaseline)]);

    public static PolicyCheck Restricted { get; } = new(
        "capabilities_restricted", PolicyLevel.Restricted, [(22, CheckRestricted), (25, pod => pod.IsWindows ? null : CheckRestricted(pod))], Overrides: "capabilities_baseline");

    private static Violation? CheckBaseline(PolicyPod pod)
    {
        var (containers, added) = Adding(pod, DefaultSet);
        return containers.Count == 0 ? null : new Violation("non-default capabilities",
            $"{Wording.Containers(containers)} must not include {Wording.Quote(added)} in securityContext.capabilities.add");
    }

    private static Violation? CheckRestricted(PolicyPod pod)
    {
        string[] keeping = [.. pod.Containers.Where(c => !Names(c, "drop").Contains("ALL")).Select(c => c.Name)];
        var (containers, added) = Adding(pod, ["NET_BIND_SERVICE"]);
        string?[] details =
        [
            keeping.Length == 0 ? null : $"{Wording.Containers(keeping)} must set securityContext.capabilities.drop=[\"ALL\"]",
            containers.Count == 0 ? null : $"{Wording.Containers(containers)} must not include {Wording.Quote(added)} in securityContext.capabilities.add",
        ];
        return details.All(d => d is null) ? null : new Violation("unrestricted capabilities", string.Join("; ", details.OfType<string>()));
    }

    private static (List<string> Containers, SortedSet<string> Added) Adding(PolicyPod pod, string[] allowed)
    {
        var (containers, added) = (new List<string>(), new SortedSet<string>(StringComparer.Ordinal));
        foreach (var container in pod.Containers)
        {
            string[] own = [.. Names(container, "add").Except(allowed)];
            added.UnionWith(own);
            if (own.Length > 0)
            {
                containers.Add(container.Name);
            }
        }

        return (containers, added);
    }

    private static IEnumerable<string> Names(PolicyContainer container, string list) =>
        ((container.SecurityContext?["capabilities"] as JsonObject)?[list] as JsonArray ?? []).Select(Meta.Text);
}

using k8s.Models;

namespace Podhost.Kubelet.Containers.Sandbox;

/// <summary>Which sysctls a pod may set: those whose effect stays in its own namespaces.</summary>
public static class SysctlRules
{
    private static readonly HashSet<string> Safe =
    [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ];

    private static readonly string[] OfIpc = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."];

    /// <summary>Why the node must reject the pod (reason <c>SysctlForbidden</c>), or null.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="allowedUnsafe">Names beyond the safe set; a trailing <c>*</c> is a prefix.</param>
    public static string? Check(V1Pod pod, IReadOnlyList<string> allowedUnsafe)
    {
        foreach (var sysctl in pod.Spec.SecurityContext?.Sysctls ?? [])
        {
            var name = Normalize(sysctl.Name);
            if (!Safe.Contains(name) && !allowedUnsafe.Any(pattern => Matches(name, Normalize(pattern))))
            {
                return $"forbidden sysctl: \"{name}\" not allowlisted";
            }

            if (pod.Spec.HostNetwork == true && name.StartsWith("net.", StringComparison.Ordinal))
            {
                return $"forbidden sysctl: \"{name}\" not allowed with host net enabled";
            }

            if (pod.Spec.HostIPC == true && OfIpc.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                return $"forbidden sysctl: \"{name}\" not allowed with host ipc enabled";
            }
        }

        return null;
    }

    /// <summary>Dots as separators: <c>net/ipv4/conf/eno2.100/x</c> is <c>net.ipv4.conf.eno2/100.x</c> (sysctl.d(5)).</summary>
    public static string Normalize(string name)
    {
        var first = name.AsSpan().IndexOfAny('.', '/');
        return first < 0 || name[first] == '.'
            ? name
            : string.Create(name.Length, name, (span, source) =>
            {
                for (var i = 0; i < source.Length; i++)
                {
                    span[i] = source[i] switch { '.' => '/', '/' => '.', var c => c };
                }
            });
    }

    private static bool Matches(string name, string pattern) =>
        pattern.EndsWith('*') ? name.StartsWith(pattern[..^1], StringComparison.Ordinal) : name == pattern;
}

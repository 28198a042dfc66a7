using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Spec;

/// <summary>Linux capabilities by name, and which of them a container gets. Pure.</summary>
internal static class Capabilities
{
    // In the order of their numbers (capabilities(7)).
    private static readonly string[] Names =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
        "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
        "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
        "PERFMON", "BPF", "CHECKPOINT_RESTORE",
    ];

    // What containerd, CRI-O and Docker give a container that asks for nothing.
    private static readonly string[] Default =
    [
        "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE",
        "SYS_CHROOT", "KILL", "AUDIT_WRITE",
    ];

    /// <summary>The set of a container, as <c>CAP_X</c> in the order of the numbers.</summary>
    /// <param name="wanted">What the request adds and drops; null for nothing.</param>
    /// <param name="privileged">All that the machine has.</param>
    /// <param name="available">The bits of the capabilities that this process has: no container can get more.</param>
    internal static IReadOnlyList<string> Choose(Capability? wanted, bool privileged, ulong available)
    {
        var set = new HashSet<string>(privileged || Adds(wanted, "ALL") ? Available(available) : Default.Intersect(Available(available)));
        if (!privileged && wanted is not null)
        {
            Apply(set, wanted, available);
        }

        return Ordered(set);
    }

    /// <summary>The ambient set: what a non-root process keeps when it executes a program.</summary>
    internal static IReadOnlyList<string> Ambient(Capability? wanted) =>
        Ordered([.. (wanted?.AddAmbientCapabilities ?? []).Select(Normalize)]);

    private static void Apply(HashSet<string> set, Capability wanted, ulong available)
    {
        if (wanted.DropCapabilities.Select(Normalize).Contains("ALL"))
        {
            set.Clear();
        }

        foreach (var name in wanted.AddCapabilities.Concat(wanted.AddAmbientCapabilities).Select(Normalize).Where(name => name != "ALL"))
        {
            if (!Available(available).Contains(name))
            {
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"capability {name} cannot be added: podhost does not have it on this machine"));
            }

            set.Add(name);
        }

        set.ExceptWith(wanted.DropCapabilities.Select(Normalize));
    }

    private static bool Adds(Capability? wanted, string name) => wanted is not null && wanted.AddCapabilities.Select(Normalize).Contains(name);

    private static IEnumerable<string> Available(ulong bits) => Names.Where((_, number) => (bits & (1UL << number)) != 0);

    private static string[] Ordered(HashSet<string> set) => [.. Names.Where(set.Contains).Select(name => "CAP_" + name)];

    private static string Normalize(string name)
    {
        var upper = name.ToUpperInvariant();
        upper = upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper[4..] : upper;
        return upper == "ALL" || Names.Contains(upper)
            ? upper
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"unknown capability {name}"));
    }
}

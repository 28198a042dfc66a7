using System.Text.Json.Nodes;
using Podhost.ApiServer.Admission.PodSecurity.Checks;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>Evaluates pods against the Pod Security Standards; pure.</summary>
/// <remarks>
/// Source: upstream's pod-security-admission/policy at 1.36. Baseline checks are told first, then restricted ones, each in the order of their ids. A
/// restricted check may take a baseline check's place, from the version on in which it exists. A version newer than all revisions means the newest.
/// </remarks>
internal static class PolicyEvaluator
{
    private static readonly PolicyCheck[] Baseline =
    [
        HostChecks.AppArmorProfile, CapabilityChecks.Baseline, HostChecks.HostNamespaces, VolumeChecks.HostPathVolumes, HostChecks.HostPorts,
        ProbeHostCheck.HostProbes, PrivilegeChecks.Privileged, ProcMountChecks.Baseline, SELinuxCheck.Options, SeccompChecks.Baseline,
        HostChecks.Sysctls, HostChecks.WindowsHostProcess,
    ];

    private static readonly PolicyCheck[] Restricted =
    [
        PrivilegeChecks.AllowPrivilegeEscalation, CapabilityChecks.Restricted, ProcMountChecks.Restricted, VolumeChecks.RestrictedVolumes,
        PrivilegeChecks.RunAsNonRoot, PrivilegeChecks.RunAsUser, SeccompChecks.Restricted,
    ];

    /// <summary>All checks, for tests.</summary>
    public static IEnumerable<PolicyCheck> All => Baseline.Concat(Restricted);

    /// <summary>What a policy has against a pod; empty where it allows it.</summary>
    public static IReadOnlyList<Violation> Evaluate(LevelVersion policy, JsonObject? metadata, JsonObject spec)
    {
        if (policy.Level == PolicyLevel.Privileged)
        {
            return [];
        }

        var pod = new PolicyPod(metadata, spec);
        return [.. ChecksOf(policy).Select(check => check(pod)).Where(v => v is not null).Select(v => v!.Value)];
    }

    /// <summary><c>hostPort, privileged</c>: for several pods at once.</summary>
    public static string Reasons(IReadOnlyList<Violation> violations) => string.Join(", ", violations.Select(v => v.Reason));

    /// <summary><c>hostPort (container "c" uses hostPort 80), …</c>: for one pod.</summary>
    public static string Details(IReadOnlyList<Violation> violations) =>
        string.Join(", ", violations.Select(v => v.Detail.Length == 0 ? v.Reason : $"{v.Reason} ({v.Detail})"));

    private static IEnumerable<CheckPod> ChecksOf(LevelVersion policy)
    {
        var minor = policy.Version.Minor;
        var restricted = policy.Level == PolicyLevel.Restricted ? Restricted.Where(c => c.At(minor) is not null).ToList() : [];
        return Baseline.Where(c => !restricted.Any(r => r.Overrides == c.Id)).Concat(restricted).Select(c => c.At(minor)).OfType<CheckPod>();
    }
}

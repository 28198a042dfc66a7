using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity.Checks;

/// <summary>Who the processes of a pod are and what they may become.</summary>
internal static class PrivilegeChecks
{
    public static PolicyCheck Privileged { get; } = new("privileged", PolicyLevel.Baseline, [(0, CheckPrivileged)]);

    public static PolicyCheck AllowPrivilegeEscalation { get; } = new(
        "allowPrivilegeEscalation", PolicyLevel.Restricted, [(8, CheckEscalation), (25, pod => pod.IsWindows ? null : CheckEscalation(pod))]);

    public static PolicyCheck RunAsNonRoot { get; } = new(
        "runAsNonRoot", PolicyLevel.Restricted, [(0, CheckNonRoot), (35, pod => pod.HasUserNamespace ? null : CheckNonRoot(pod))]);

    public static PolicyCheck RunAsUser { get; } = new(
        "runAsUser", PolicyLevel.Restricted, [(23, CheckUser), (35, pod => pod.HasUserNamespace ? null : CheckUser(pod))]);

    private static Violation? CheckPrivileged(PolicyPod pod)
    {
        string[] bad = [.. pod.Containers.Where(c => PolicyPod.Flag(c.SecurityContext?["privileged"]) == true).Select(c => c.Name)];
        return bad.Length == 0 ? null : new Violation("privileged", $"{Wording.Containers(bad)} must not set securityContext.privileged=true");
    }

    private static Violation? CheckEscalation(PolicyPod pod)
    {
        string[] bad = [.. pod.Containers.Where(c => PolicyPod.Flag(c.SecurityContext?["allowPrivilegeEscalation"]) != false).Select(c => c.Name)];
        return bad.Length == 0 ? null : new Violation("allowPrivilegeEscalation != false", $"{Wording.Containers(bad)} must set securityContext.allowPrivilegeEscalation=false");
    }

    private static Violation? CheckNonRoot(PolicyPod pod)
    {
        var ofPod = PolicyPod.Flag(pod.SecurityContext?["runAsNonRoot"]);
        string[] refusing = [.. pod.Containers.Where(c => PolicyPod.Flag(c.SecurityContext?["runAsNonRoot"]) == false).Select(c => c.Name)];
        if (Wording.Setters(ofPod == false, refusing) is { } setters)
        {
            return new Violation("runAsNonRoot != true", $"{setters} must not set securityContext.runAsNonRoot=false");
        }

        string[] silent = ofPod == true ? [] : [.. pod.Containers.Where(c => PolicyPod.Flag(c.SecurityContext?["runAsNonRoot"]) is null).Select(c => c.Name)];
        return silent.Length == 0 ? null : new Violation("runAsNonRoot != true", $"pod or {Wording.Containers(silent)} must set securityContext.runAsNonRoot=true");
    }

    private static Violation? CheckUser(PolicyPod pod)
    {
        string[] bad = [.. pod.Containers.Where(c => PolicyPod.Number(c.SecurityContext?["runAsUser"]) == 0).Select(c => c.Name)];
        return Wording.Setters(PolicyPod.Number(pod.SecurityContext?["runAsUser"]) == 0, bad) is { } setters
            ? new Violation("runAsUser=0", $"{setters} must not set runAsUser=0")
            : null;
    }
}

/// <summary>The masks over /proc.</summary>
internal static class ProcMountChecks
{
    public static PolicyCheck Baseline { get; } = new("procMount", PolicyLevel.Baseline, [(0, Check), (35, pod => pod.HasUserNamespace ? null : Check(pod))]);

    public static PolicyCheck Restricted { get; } = new("procMount_restricted", PolicyLevel.Restricted, [(35, Check)], Overrides: "procMount");

    private static Violation? Check(PolicyPod pod)
    {
        static string Mount(PolicyContainer c) => Meta.Text(c.SecurityContext?["procMount"]);
        var bad = pod.Containers.Where(c => Mount(c) is not ("" or "Default")).ToList();
        return bad.Count == 0 ? null : new Violation("procMount",
            $"{Wording.Containers([.. bad.Select(c => c.Name)])} must not set securityContext.procMount to "
            + Wording.Quote(bad.Select(Mount).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)));
    }
}

using System.Text.RegularExpressions;

namespace Podhost.Api.Validation.Pods;

/// <summary>securityContext of the pod, host namespaces and sysctls.</summary>
internal static partial class PodSecurityRules
{
    private const string SysctlSegment = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    private const string Sysctl = "^(" + SysctlSegment + "[\\./])*" + SysctlSegment + "$";
    private const int MaxSysctl = 253;

    public static void Check(Field context, Field spec)
    {
        context["fsGroup"].InRange(0, int.MaxValue);
        ContainerSecurityRules.CheckIds(context);
        foreach (var group in context["supplementalGroups"].Items)
        {
            group.InRange(0, int.MaxValue);
        }

        if (spec["shareProcessNamespace"].Flag && spec["hostPID"].Flag)
        {
            context.Child("shareProcessNamespace", true).Invalid("ShareProcessNamespace and HostPID cannot both be enabled");
        }

        CheckSysctls(context["sysctls"], spec);
        context["fsGroupChangePolicy"].OneOf("Always", "OnRootMismatch");
        ContainerSecurityRules.CheckSeccomp(context["seccompProfile"]);
        ContainerSecurityRules.CheckAppArmor(context["appArmorProfile"]);
        context["supplementalGroupsPolicy"].OneOf("Merge", "Strict");
        context["seLinuxChangePolicy"].OneOf("MountOption", "Recursive");
    }

    /// <summary>A user namespace of its own excludes the host's other namespaces.</summary>
    public static void CheckHostUsers(Field spec)
    {
        if (!spec["hostUsers"].IsFalse)
        {
            return;
        }

        foreach (var (field, printed) in (ReadOnlySpan<(string, string)>)[("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")])
        {
            if (spec[field].Flag)
            {
                spec.Child(printed, null).Forbidden("when `pod.Spec.HostUsers` is false");
            }
        }
    }

    private static void CheckSysctls(Field sysctls, Field spec)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in sysctls.Items.Select(s => s["name"]))
        {
            if (name.Text.Length == 0)
            {
                name.Required();
            }
            else if (name.Text.Length > MaxSysctl || !SysctlPattern().IsMatch(name.Text))
            {
                name.Invalid($"must have at most {MaxSysctl} characters and match regex {Sysctl}");
            }
            else if (!names.Add(name.Text))
            {
                name.Duplicate();
            }

            CheckHostSysctl(name, spec);
        }
    }

    private static void CheckHostSysctl(Field name, Field spec)
    {
        var dotted = name.Text.Replace('/', '.');
        if (spec["hostNetwork"].Flag && dotted.StartsWith("net.", StringComparison.Ordinal))
        {
            name.Invalid("may not be specified when 'hostNetwork' is true");
        }
        else if (spec["hostIPC"].Flag && (dotted is "kernel.sem" || dotted.StartsWith("kernel.shm", StringComparison.Ordinal)
            || dotted.StartsWith("kernel.msg", StringComparison.Ordinal) || dotted.StartsWith("fs.mqueue.", StringComparison.Ordinal)))
        {
            name.Invalid("may not be specified when 'hostIPC' is true");
        }
    }

    [GeneratedRegex(@"\A(" + SysctlSegment + @"[\./])*" + SysctlSegment + @"\z", RegexOptions.CultureInvariant)]
    private static partial Regex SysctlPattern();
}

namespace Podhost.Api.Validation.Pods;

/// <summary>spec.os, and the fields that belong to one system only.</summary>
internal static class PodOsRules
{
    private const string NotOnWindows = "cannot be set for a windows pod";

    private static readonly string[] PodFields = ["hostUsers", "shareProcessNamespace"];
    private static readonly string[] PodFlags = ["hostPID", "hostIPC"];

    private static readonly string[] PodContextFields =
    [
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser", "runAsGroup",
        "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy",
    ];

    private static readonly string[] ContainerContextFields =
    [
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
        "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
    ];

    public static void Check(Field spec)
    {
        var os = spec["os"];
        if (!os.IsSet)
        {
            return;
        }

        switch (os["name"].Text)
        {
            case "":
                os["name"].Required("cannot be empty");
                break;
            case "linux":
                ForEachContext(spec, c => Refuse(c, ["windowsOptions"], "windows options cannot be set for a linux pod"));
                break;
            case "windows":
                Refuse(spec, PodFields, NotOnWindows);
                Refuse(spec, [.. PodFlags.Where(f => spec[f].Flag)], NotOnWindows);
                Refuse(spec["securityContext"], PodContextFields, NotOnWindows);
                foreach (var container in Containers(spec))
                {
                    Refuse(container["securityContext"], ContainerContextFields, NotOnWindows);
                }

                break;
            default:
                os.With(os["name"].Node).OneOf("linux", "windows");
                break;
        }
    }

    private static void ForEachContext(Field spec, Action<Field> check)
    {
        check(spec["securityContext"]);
        foreach (var container in Containers(spec))
        {
            check(container["securityContext"]);
        }
    }

    private static IEnumerable<Field> Containers(Field spec) =>
        spec["initContainers"].Items.Concat(spec["containers"].Items).Concat(spec["ephemeralContainers"].Items);

    private static void Refuse(Field owner, string[] fields, string detail)
    {
        foreach (var field in fields.Select(f => owner[f]).Where(f => f.IsSet))
        {
            field.Forbidden(detail);
        }
    }
}

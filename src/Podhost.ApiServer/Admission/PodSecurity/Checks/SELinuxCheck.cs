using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity.Checks;

/// <summary>SELinux: types for containers only; no user or role.</summary>
internal static class SELinuxCheck
{
    private static readonly string[] Types10 = ["", "container_t", "container_init_t", "container_kvm_t"];
    private static readonly string[] Types131 = [.. Types10, "container_engine_t"];

    public static PolicyCheck Options { get; } = new("seLinuxOptions", PolicyLevel.Baseline, [(0, pod => Check(pod, Types10)), (31, pod => Check(pod, Types131))]);

    private static Violation? Check(PolicyPod pod, string[] allowed)
    {
        var types = new SortedSet<string>(StringComparer.Ordinal);
        var (user, role) = (false, false);
        bool IsBad(JsonObject? context)
        {
            if (context?["seLinuxOptions"] is not JsonObject options)
            {
                return false;
            }

            var type = Meta.Text(options["type"]);
            var (hasType, hasUser, hasRole) = (!allowed.Contains(type, StringComparer.Ordinal), Meta.Text(options["user"]).Length > 0, Meta.Text(options["role"]).Length > 0);
            if (hasType)
            {
                types.Add(type);
            }

            (user, role) = (user || hasUser, role || hasRole);
            return hasType || hasUser || hasRole;
        }

        var podIsBad = IsBad(pod.SecurityContext);
        string[] containers = [.. pod.Containers.Where(c => IsBad(c.SecurityContext)).Select(c => c.Name)];
        string?[] what =
        [
            types.Count == 0 ? null : $"{Wording.Plural("type", "types", types.Count)} {Wording.Quote(types)}",
            user ? "user may not be set" : null,
            role ? "role may not be set" : null,
        ];
        return Wording.Setters(podIsBad, containers) is { } setters
            ? new Violation("seLinuxOptions", $"{setters} set forbidden securityContext.seLinuxOptions: {string.Join("; ", what.OfType<string>())}")
            : null;
    }
}

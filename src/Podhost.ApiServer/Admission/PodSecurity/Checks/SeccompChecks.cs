using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity.Checks;

/// <summary>Seccomp: not unconfined; restricted pods say which profile.</summary>
internal static class SeccompChecks
{
    private const string PodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
    private const string ContainerAnnotation = "container.seccomp.security.alpha.kubernetes.io/";

    public static PolicyCheck Baseline { get; } = new("seccompProfile_baseline", PolicyLevel.Baseline, [(0, CheckAnnotations), (19, CheckExplicit)]);

    public static PolicyCheck Restricted { get; } = new(
        "seccompProfile_restricted", PolicyLevel.Restricted, [(19, CheckRequired), (25, pod => pod.IsWindows ? null : CheckRequired(pod))], Overrides: "seccompProfile_baseline");

    private static Violation? CheckAnnotations(PolicyPod pod)
    {
        var bad = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var key in pod.Containers.Select(c => ContainerAnnotation + c.Name).Prepend(PodAnnotation))
        {
            if (pod.Annotations.ContainsKey(key) && Meta.Text(pod.Annotations[key]) is var value && !IsAllowedAnnotation(value))
            {
                bad.Add($"{key}=\"{value}\"");
            }
        }

        return bad.Count == 0 ? null : new Violation("seccompProfile", $"forbidden {Wording.Plural("annotation", "annotations", bad.Count)} {string.Join(", ", bad)}");
    }

    private static bool IsAllowedAnnotation(string value) =>
        value is "runtime/default" or "docker/default" || value.StartsWith("localhost/", StringComparison.Ordinal);

    private static Violation? CheckExplicit(PolicyPod pod)
    {
        var ofPod = Type(pod.SecurityContext);
        var bad = pod.Containers.Where(c => Type(c.SecurityContext) is { } type && !IsAllowed(type)).ToList();
        var podIsBad = ofPod is not null && !IsAllowed(ofPod);
        if (Wording.Setters(podIsBad, [.. bad.Select(c => c.Name)]) is not { } setters)
        {
            return null;
        }

        var values = new SortedSet<string>(bad.Select(c => Type(c.SecurityContext)!), StringComparer.Ordinal);
        if (podIsBad)
        {
            values.Add(ofPod!);
        }

        return new Violation("seccompProfile", $"{setters} must not set securityContext.seccompProfile.type to {Wording.Quote(values)}");
    }

    private static Violation? CheckRequired(PolicyPod pod)
    {
        if (CheckExplicit(pod) is { } violation)
        {
            return violation;
        }

        string[] silent = Type(pod.SecurityContext) is not null ? [] : [.. pod.Containers.Where(c => Type(c.SecurityContext) is null).Select(c => c.Name)];
        return silent.Length == 0 ? null : new Violation("seccompProfile",
            $"pod or {Wording.Containers(silent)} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
    }

    private static bool IsAllowed(string type) => type is "RuntimeDefault" or "Localhost";

    // The type of a profile that is set; null where none is.
    private static string? Type(JsonObject? context) => context?["seccompProfile"] is JsonObject profile ? Meta.Text(profile["type"]) : null;
}

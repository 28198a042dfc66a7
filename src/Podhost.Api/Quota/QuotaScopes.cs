using k8s.Models;
using Podhost.Api.Pods;

namespace Podhost.Api.Quota;

/// <summary>Which pods and claims a quota with scopes is about. All scopes and all expressions of the scope selector must hold.</summary>
public static class QuotaScopes
{
    private const string VolumeClass = "VolumeAttributesClass";

    /// <summary>True for a quota that is about some pods or some claims only, and about no other kind.</summary>
    public static bool HasAny(V1ResourceQuota quota) => quota.Spec?.Scopes is { Count: > 0 } || quota.Spec?.ScopeSelector?.MatchExpressions is { Count: > 0 };

    /// <summary>True where a quota is about a pod.</summary>
    public static bool Matches(V1ResourceQuota quota, V1Pod pod) => All(quota, (scope, op, values) => Holds(scope, op, values, pod));

    /// <summary>True where a quota is about a claim: the attributes classes that it has, asks for and is on its way to count.</summary>
    public static bool Matches(V1ResourceQuota quota, V1PersistentVolumeClaim claim)
    {
        string[] classes = [.. new[] { claim.Spec?.VolumeAttributesClassName, claim.Status?.CurrentVolumeAttributesClassName, claim.Status?.ModifyVolumeStatus?.TargetVolumeAttributesClassName }
            .Where(c => !string.IsNullOrEmpty(c)).Select(c => c!).DefaultIfEmpty("")];
        return All(quota, (scope, op, values) => scope == VolumeClass && classes.Any(c => HoldsFor(c, op, values)));
    }

    private static bool All(V1ResourceQuota quota, Func<string, string, IList<string>, bool> holds) =>
        (quota.Spec?.Scopes ?? []).All(scope => holds(scope, "Exists", []))
        && (quota.Spec?.ScopeSelector?.MatchExpressions ?? []).All(e => holds(e.ScopeName, e.OperatorProperty, e.Values ?? []));

    private static bool Holds(string scope, string op, IList<string> values, V1Pod pod) => scope switch
    {
        "Terminating" => pod.Spec.ActiveDeadlineSeconds >= 0,
        "NotTerminating" => pod.Spec.ActiveDeadlineSeconds is null or < 0,
        "BestEffort" => QosRules.Compute(pod) == QosClass.BestEffort,
        "NotBestEffort" => QosRules.Compute(pod) != QosClass.BestEffort,
        "CrossNamespacePodAffinity" => LooksIntoOtherNamespaces(pod),
        "PriorityClass" => HoldsFor(pod.Spec.PriorityClassName ?? "", op, values),
        _ => false,
    };

    private static bool HoldsFor(string className, string op, IList<string> values) => op switch
    {
        "In" => values.Contains(className),
        "NotIn" => !values.Contains(className),
        "Exists" => className.Length > 0,
        "DoesNotExist" => className.Length == 0,
        _ => false,
    };

    private static bool LooksIntoOtherNamespaces(V1Pod pod)
    {
        var (affinity, anti) = (pod.Spec.Affinity?.PodAffinity, pod.Spec.Affinity?.PodAntiAffinity);
        return (affinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? [])
            .Concat((affinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(w => w.PodAffinityTerm))
            .Concat(anti?.RequiredDuringSchedulingIgnoredDuringExecution ?? [])
            .Concat((anti?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(w => w.PodAffinityTerm))
            .Any(term => term.Namespaces is { Count: > 0 } || term.NamespaceSelector is not null);
    }
}

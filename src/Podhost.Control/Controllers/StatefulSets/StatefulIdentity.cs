using System.Globalization;
using k8s.Models;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.StatefulSets;

/// <summary>Who a pod of a StatefulSet is: ordinal, name, host name, labels, claims. Pure. Source: upstream's stateful_set_utils.</summary>
internal static class StatefulIdentity
{
    public const string PodName = "statefulset.kubernetes.io/pod-name";
    public const string PodIndex = "apps.kubernetes.io/pod-index";

    /// <summary>The ordinal in a pod's name; null where the pod is none of the set's.</summary>
    public static int? OrdinalOf(V1StatefulSet set, V1Pod pod)
    {
        var prefix = set.Metadata.Name + "-";
        return pod.Metadata.Name.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(pod.Metadata.Name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal)
            && PodNameOf(set, ordinal) == pod.Metadata.Name ? ordinal : null;
    }

    public static string PodNameOf(V1StatefulSet set, long ordinal) => string.Create(CultureInfo.InvariantCulture, $"{set.Metadata.Name}-{ordinal}");

    public static string ClaimNameOf(V1StatefulSet set, V1PersistentVolumeClaim template, long ordinal) => $"{template.Metadata.Name}-{PodNameOf(set, ordinal)}";

    /// <summary>The labels that tell who a pod is.</summary>
    public static IReadOnlyDictionary<string, string> LabelsOf(V1StatefulSet set, long ordinal) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [PodName] = PodNameOf(set, ordinal),
        [PodIndex] = ordinal.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The revision that a pod was made from; empty where it tells none.</summary>
    public static string RevisionOf(V1Pod pod) => pod.Metadata.Labels?.TryGetValue(RevisionRules.PodRevision, out var revision) == true ? revision : "";

    /// <summary>The pod of an ordinal.</summary>
    /// <param name="set">The set.</param>
    /// <param name="reference">The reference to it.</param>
    /// <param name="template">The template of the revision.</param>
    /// <param name="revision">The name of the revision.</param>
    /// <param name="ordinal">The ordinal.</param>
    public static V1Pod Make(V1StatefulSet set, V1OwnerReference reference, V1PodTemplateSpec template, string revision, long ordinal)
    {
        var pod = PodTemplates.Make(template, set, reference);
        (pod.Metadata.GenerateName, pod.Metadata.Name) = (null, PodNameOf(set, ordinal));
        pod.Metadata.Labels ??= new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in LabelsOf(set, ordinal))
        {
            pod.Metadata.Labels[key] = value;
        }

        pod.Metadata.Labels[RevisionRules.PodRevision] = revision;
        (pod.Spec.Hostname, pod.Spec.Subdomain) = (pod.Metadata.Name, set.Spec.ServiceName);
        pod.Spec.Volumes = VolumesOf(set, pod.Spec.Volumes ?? [], ordinal);
        return pod;
    }

    /// <summary>The claims of an ordinal.</summary>
    public static IEnumerable<V1PersistentVolumeClaim> ClaimsOf(V1StatefulSet set, long ordinal) => (set.Spec.VolumeClaimTemplates ?? []).Select(template => new V1PersistentVolumeClaim
    {
        ApiVersion = "v1",
        Kind = "PersistentVolumeClaim",
        Metadata = new V1ObjectMeta
        {
            Name = ClaimNameOf(set, template, ordinal),
            NamespaceProperty = set.Metadata.NamespaceProperty,
            Labels = Merged(template.Metadata.Labels, set.Spec.Selector.MatchLabels),
            Annotations = template.Metadata.Annotations,
        },
        Spec = template.Spec,
    });

    // The claims come first, in place of volumes of the same name.
    private static List<V1Volume>? VolumesOf(V1StatefulSet set, IEnumerable<V1Volume> volumes, long ordinal)
    {
        var claims = set.Spec.VolumeClaimTemplates ?? [];
        List<V1Volume> all =
        [
            .. claims.Select(c => new V1Volume
            {
                Name = c.Metadata.Name,
                PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = ClaimNameOf(set, c, ordinal), ReadOnlyProperty = false },
            }),
            .. volumes.Where(v => claims.All(c => c.Metadata.Name != v.Name)),
        ];
        return all.Count == 0 ? null : all;
    }

    private static Dictionary<string, string> Merged(IDictionary<string, string>? own, IDictionary<string, string>? more)
    {
        var labels = new Dictionary<string, string>(own ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (var (key, value) in more ?? new Dictionary<string, string>())
        {
            labels[key] = value;
        }

        return labels;
    }
}

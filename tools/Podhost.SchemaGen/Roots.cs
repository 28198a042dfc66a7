namespace Podhost.SchemaGen;

/// <summary>The kinds whose types the catalog holds. Add a package here when the product learns a group.</summary>
internal static class Roots
{
    private static readonly string[] WholePackages =
    [
        "io.k8s.api.apps.v1", "io.k8s.api.batch.v1", "io.k8s.api.authentication.v1", "io.k8s.api.authorization.v1",
        "io.k8s.api.coordination.v1", "io.k8s.api.discovery.v1", "io.k8s.api.events.v1", "io.k8s.api.node.v1", "io.k8s.api.rbac.v1",
        "io.k8s.api.scheduling.v1", "io.k8s.api.storage.v1", "io.k8s.api.flowcontrol.v1",
    ];

    private static readonly string[] Kinds =
    [
        "io.k8s.api.core.v1.Binding", "io.k8s.api.core.v1.ConfigMap", "io.k8s.api.core.v1.Endpoints", "io.k8s.api.core.v1.Event",
        "io.k8s.api.core.v1.Namespace", "io.k8s.api.core.v1.Node", "io.k8s.api.core.v1.PersistentVolume",
        "io.k8s.api.core.v1.PersistentVolumeClaim", "io.k8s.api.core.v1.Pod", "io.k8s.api.core.v1.PodTemplate",
        "io.k8s.api.core.v1.ReplicationController", "io.k8s.api.core.v1.ResourceQuota", "io.k8s.api.core.v1.LimitRange",
        "io.k8s.api.core.v1.Secret", "io.k8s.api.core.v1.Service", "io.k8s.api.core.v1.ServiceAccount",
        "io.k8s.api.autoscaling.v1.Scale", "io.k8s.api.policy.v1.Eviction", "io.k8s.api.policy.v1.PodDisruptionBudget",
        "io.k8s.api.certificates.v1.CertificateSigningRequest",
        "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration", "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
        "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
        "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup", "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList",
        "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList", "io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions",
        "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
        "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent",
    ];

    public static IEnumerable<Type> Types(IReadOnlyDictionary<Type, string> names)
    {
        var wanted = Kinds.Concat(Kinds.Select(k => k + "List")).ToHashSet();
        return names.Where(n => wanted.Contains(n.Value) || WholePackages.Contains(n.Value[..n.Value.LastIndexOf('.')])).Select(n => n.Key);
    }
}

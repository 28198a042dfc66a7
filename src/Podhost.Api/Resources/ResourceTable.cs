using k8s.Models;

namespace Podhost.Api.Resources;

/// <summary>The one table of resources that the product serves.</summary>
public static class ResourceTable
{
    private static readonly string[] GetUpdatePatch = ["get", "patch", "update"];
    private static readonly string[] Extensions = ["api-extensions"];
    private static readonly string[] CreateOnly = ["create"];
    private static readonly string[] Connect = ["create", "get"];
    private static readonly string[] Proxy = ["create", "delete", "get", "patch", "update"];
    private static readonly SubresourceInfo[] NoSubresources = [];

    private static readonly ResourceInfo CoreEvents = Core<Corev1Event>("Event", "events", "ev", hasStatus: false) with { SchemaName = "io.k8s.api.core.v1.Event" };

    /// <summary>All resources, in discovery order.</summary>
    public static IReadOnlyList<ResourceInfo> All { get; } =
    [
        Core<V1ConfigMap>("ConfigMap", "configmaps", "cm"),
        Core<V1Endpoints>("Endpoints", "endpoints", "ep") with { Singular = "endpoints" },
        CoreEvents,
        Core<V1LimitRange>("LimitRange", "limitranges", "limits"),
        Core<V1Namespace>("Namespace", "namespaces", "ns", namespaced: false, hasStatus: true) with
        {
            NameIsDnsLabel = true,
            Verbs = ["create", "delete", "get", "list", "patch", "update", "watch"],
            Subresources = [Status("Namespace"), new("finalize", "Namespace", ["update"])],
        },
        Core<V1Node>("Node", "nodes", "no", namespaced: false, hasStatus: true) with
        {
            Subresources = [Status("Node"), new("proxy", "NodeProxyOptions", Proxy)],
        },
        Core<V1PersistentVolumeClaim>("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", hasStatus: true),
        Core<V1PersistentVolume>("PersistentVolume", "persistentvolumes", "pv", namespaced: false, hasStatus: true),
        Core<V1Pod>("Pod", "pods", "po", hasStatus: true, categories: ["all"]) with
        {
            HasGeneration = true,
            Subresources =
            [
                new("attach", "PodAttachOptions", Connect),
                new("binding", "Binding", CreateOnly),
                new("ephemeralcontainers", "Pod", GetUpdatePatch),
                new("eviction", "Eviction", CreateOnly, "policy", "v1"),
                new("exec", "PodExecOptions", Connect),
                new("log", "Pod", ["get"]),
                new("portforward", "PodPortForwardOptions", Connect),
                new("proxy", "PodProxyOptions", Proxy),
                new("resize", "Pod", GetUpdatePatch),
                Status("Pod"),
            ],
        },
        Core<V1PodTemplate>("PodTemplate", "podtemplates", null) with { HasGeneration = true },
        Core<V1ReplicationController>("ReplicationController", "replicationcontrollers", "rc", hasStatus: true, categories: ["all"]) with
        {
            HasGeneration = true,
            Subresources = [new("scale", "Scale", GetUpdatePatch, "autoscaling", "v1"), Status("ReplicationController")],
        },
        Core<V1ResourceQuota>("ResourceQuota", "resourcequotas", "quota", hasStatus: true),
        Core<V1Secret>("Secret", "secrets", null),
        Core<V1ServiceAccount>("ServiceAccount", "serviceaccounts", "sa") with
        {
            Subresources = [new("token", "TokenRequest", CreateOnly, "authentication.k8s.io", "v1")],
        },
        Core<V1Service>("Service", "services", "svc", hasStatus: true, categories: ["all"]) with
        {
            NameIsDnsLabel = true,
            Subresources = [new("proxy", "ServiceProxyOptions", Proxy), Status("Service")],
        },

        Make<V1MutatingWebhookConfiguration>("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", null, false,
            categories: Extensions) with { HasGeneration = true },
        Make<V1ValidatingWebhookConfiguration>("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", null, false,
            categories: Extensions) with { HasGeneration = true },
        Make<V1CustomResourceDefinition>("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", null, false, hasStatus: true,
            categories: Extensions) with
        {
            ShortNames = ["crd", "crds"],
            HasGeneration = true,
            SchemaName = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
        },
        Make<V1APIService>("apiregistration.k8s.io", "v1", "APIService", "apiservices", null, false, hasStatus: true, categories: Extensions) with
        {
            SchemaName = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
        },
        Make<V1ControllerRevision>("apps", "v1", "ControllerRevision", "controllerrevisions", null, true),
        Workload<V1DaemonSet>("apps", "DaemonSet", "daemonsets", "ds", scales: false),
        Workload<V1Deployment>("apps", "Deployment", "deployments", "deploy", scales: true),
        Workload<V1ReplicaSet>("apps", "ReplicaSet", "replicasets", "rs", scales: true),
        Workload<V1StatefulSet>("apps", "StatefulSet", "statefulsets", "sts", scales: true),
        Make<V1TokenReview>("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", null, false, isVirtual: true),
        Make<V1SelfSubjectReview>("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", null, false, isVirtual: true),
        Make<V1LocalSubjectAccessReview>("authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", null, true, isVirtual: true),
        Make<V1SelfSubjectAccessReview>("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", null, false, isVirtual: true),
        Make<V1SelfSubjectRulesReview>("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", null, false, isVirtual: true),
        Make<V1SubjectAccessReview>("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", null, false, isVirtual: true),
        Workload<V1CronJob>("batch", "CronJob", "cronjobs", "cj", scales: false),
        Workload<V1Job>("batch", "Job", "jobs", null, scales: false),
        Make<V1CertificateSigningRequest>("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", "csr", false, hasStatus: true) with
        {
            Subresources = [new("approval", "CertificateSigningRequest", GetUpdatePatch), Status("CertificateSigningRequest")],
        },
        Make<V1Lease>("coordination.k8s.io", "v1", "Lease", "leases", null, true),
        Make<V1EndpointSlice>("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", null, true) with { HasGeneration = true },
        Make<Eventsv1Event>("events.k8s.io", "v1", "Event", "events", "ev", true) with { StoredAs = CoreEvents },
        Make<V1FlowSchema>("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", null, false, hasStatus: true) with { HasGeneration = true },
        Make<V1PriorityLevelConfiguration>("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration", "prioritylevelconfigurations", null, false, hasStatus: true) with
        {
            HasGeneration = true,
        },
        Make<V1RuntimeClass>("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", null, false),
        Make<V1PodDisruptionBudget>("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", true, hasStatus: true) with { HasGeneration = true },
        Make<V1ClusterRoleBinding>("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", null, false),
        Make<V1ClusterRole>("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", null, false),
        Make<V1RoleBinding>("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", null, true),
        Make<V1Role>("rbac.authorization.k8s.io", "v1", "Role", "roles", null, true),
        Make<V1PriorityClass>("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "pc", false) with { HasGeneration = true },
        Make<V1CSIDriver>("storage.k8s.io", "v1", "CSIDriver", "csidrivers", null, false) with { HasGeneration = true },
        Make<V1CSINode>("storage.k8s.io", "v1", "CSINode", "csinodes", null, false),
        Make<V1CSIStorageCapacity>("storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities", null, true),
        Make<V1StorageClass>("storage.k8s.io", "v1", "StorageClass", "storageclasses", "sc", false),
        Make<V1VolumeAttachment>("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", null, false, hasStatus: true),
        Make<V1VolumeAttributesClass>("storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses", "vac", false),
    ];

    private static readonly Dictionary<(string, string, string), ResourceInfo> ByPath =
        All.ToDictionary(r => (r.Group, r.Version, r.Plural));

    private static readonly Dictionary<(string, string), ResourceInfo> ByKind =
        All.ToDictionary(r => (r.ApiVersion, r.Kind));

    private static readonly Dictionary<Type, ResourceInfo> ByType = All.ToDictionary(r => r.ModelType);

    /// <summary>The resource of a path, or null.</summary>
    public static ResourceInfo? Find(string group, string version, string plural) => ByPath.GetValueOrDefault((group, version, plural));

    /// <summary>The resource of an apiVersion and kind, or null.</summary>
    public static ResourceInfo? FindKind(string apiVersion, string kind) => ByKind.GetValueOrDefault((apiVersion, kind));

    /// <summary>The resource of a model type.</summary>
    /// <exception cref="ArgumentException">The type is no kind of the table.</exception>
    public static ResourceInfo For<T>() => ByType.TryGetValue(typeof(T), out var r)
        ? r
        : throw new ArgumentException($"{typeof(T).Name} is not in the resource table");

    // What makes pods: listed by "get all", with a generation, scaled through autoscaling's Scale where that has a meaning.
    private static ResourceInfo Workload<T>(string group, string kind, string plural, string? shortName, bool scales)
    {
        var resource = Make<T>(group, "v1", kind, plural, shortName, true, hasStatus: true, categories: ["all"]) with { HasGeneration = true };
        return scales ? resource with { Subresources = [new("scale", "Scale", GetUpdatePatch, "autoscaling", "v1"), Status(kind)] } : resource;
    }

    private static SubresourceInfo Status(string kind) => new("status", kind, GetUpdatePatch);

    private static ResourceInfo Core<T>(
        string kind, string plural, string? shortName, bool namespaced = true, bool hasStatus = false, string[]? categories = null) =>
        Make<T>("", "v1", kind, plural, shortName, namespaced, hasStatus, categories);

    private static ResourceInfo Make<T>(
        string group,
        string version,
        string kind,
        string plural,
        string? shortName,
        bool namespaced,
        bool hasStatus = false,
        string[]? categories = null,
        bool isVirtual = false) => new()
        {
            Group = group,
            Version = version,
            Kind = kind,
            Plural = plural,
            Singular = kind.ToLowerInvariant(),
            Namespaced = namespaced,
            ShortNames = shortName is null ? [] : [shortName],
            Categories = categories ?? [],
            Verbs = isVirtual ? CreateOnly : ResourceInfo.StandardVerbs,
            Subresources = hasStatus ? [Status(kind)] : NoSubresources,
            ModelType = typeof(T),
            IsVirtual = isVirtual,
            SchemaName = SchemaNameOf(group, version, kind),
        };

    private static string SchemaNameOf(string group, string version, string kind)
    {
        var package = group.Length == 0 ? "core" : group.Split('.')[0];
        return $"io.k8s.api.{package}.{version}.{kind}";
    }
}

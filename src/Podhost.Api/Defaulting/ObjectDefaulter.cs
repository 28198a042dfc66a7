using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Resources;

namespace Podhost.Api.Defaulting;

/// <summary>Defaulting of whole objects, as upstream's scheme does it after decoding.</summary>
public static class ObjectDefaulter
{
    private static readonly Dictionary<(string, string), Action<JsonObject>> ByKind = new()
    {
        [("v1", "Pod")] = pod => PodDefaults.ApplyToPod(Defaults.Child(pod, "spec")),
        [("v1", "PodTemplate")] = WorkloadDefaults.ApplyToPodTemplate,
        [("v1", "Service")] = ServiceDefaults.ApplyToService,
        [("v1", "Endpoints")] = ServiceDefaults.ApplyToEndpoints,
        [("discovery.k8s.io/v1", "EndpointSlice")] = ServiceDefaults.ApplyToEndpointSlice,
        [("v1", "Secret")] = secret => Defaults.SetText(secret, "type", "Opaque"),
        [("v1", "Namespace")] = StorageAndMetaDefaults.ApplyToNamespace,
        [("v1", "PersistentVolume")] = StorageAndMetaDefaults.ApplyToPersistentVolume,
        [("v1", "PersistentVolumeClaim")] = StorageAndMetaDefaults.ApplyToClaim,
        [("v1", "LimitRange")] = LimitRangeDefaults.Apply,
        [("flowcontrol.apiserver.k8s.io/v1", "FlowSchema")] = FlowControlDefaults.ApplyToSchema,
        [("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration")] = FlowControlDefaults.ApplyToLevel,
        [("storage.k8s.io/v1", "CSIDriver")] = StorageAndMetaDefaults.ApplyToDriver,
        [("storage.k8s.io/v1", "StorageClass")] = StorageAndMetaDefaults.ApplyToStorageClass,
        [("apps/v1", "Deployment")] = WorkloadDefaults.ApplyToDeployment,
        [("apps/v1", "ReplicaSet")] = WorkloadDefaults.ApplyToReplicaSet,
        [("apps/v1", "DaemonSet")] = WorkloadDefaults.ApplyToDaemonSet,
        [("v1", "ReplicationController")] = WorkloadDefaults.ApplyToReplicationController,
        [("apps/v1", "StatefulSet")] = WorkloadDefaults.ApplyToStatefulSet,
        [("batch/v1", "Job")] = WorkloadDefaults.ApplyToJob,
        [("batch/v1", "CronJob")] = WorkloadDefaults.ApplyToCronJob,
        [("scheduling.k8s.io/v1", "PriorityClass")] = c => Defaults.Set(c, "preemptionPolicy", "PreemptLowerPriority"),
        [("apiextensions.k8s.io/v1", "CustomResourceDefinition")] = ExtensionDefaults.ApplyToDefinition,
        [("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")] = c => ExtensionDefaults.ApplyToWebhooks(c, mutating: true),
        [("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")] = c => ExtensionDefaults.ApplyToWebhooks(c, mutating: false),
        [("rbac.authorization.k8s.io/v1", "RoleBinding")] = RbacDefaults.ApplyToBinding,
        [("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")] = RbacDefaults.ApplyToBinding,
    };

    /// <summary>Sets every unset field of <paramref name="obj"/> that has a default. In place, idempotent.</summary>
    public static void Apply(ResourceInfo resource, JsonObject obj)
    {
        if (resource.Custom is { } custom)
        {
            CustomObjects.Default(custom, obj);
        }
        else if (ByKind.TryGetValue((resource.ApiVersion, resource.Kind), out var apply))
        {
            apply(obj);
        }
    }
}

using Podhost.Api.Resources;
using Podhost.Api.Validation.Certificates;
using Podhost.Api.Validation.Core;
using Podhost.Api.Validation.Extensions;
using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Pods;
using Podhost.Api.Validation.Policy;
using Podhost.Api.Validation.Services;
using Podhost.Api.Validation.Storage;
using Podhost.Api.Validation.Workloads;

namespace Podhost.Api.Validation;

/// <summary>The rules of a kind.</summary>
/// <param name="Create">Checks a new object.</param>
/// <param name="Update">Checks an object against what it was, and the subresource that it is changed through (empty where none).</param>
internal sealed record KindRules(Action<Field> Create, Action<Field, Field, string> Update)
{
    private const string Rbac = "rbac.authorization.k8s.io";

    private static readonly Dictionary<(string, string), KindRules> ByKind = new()
    {
        [("", "Pod")] = new(PodRules.CheckCreate, UpdatePod),
        [("", "PodTemplate")] = Same(PodTemplateRules.Check),
        [("", "Service")] = new(ServiceRules.Create, ServiceRules.Update),
        [("", "Endpoints")] = Same(EndpointRules.CheckEndpoints),
        [("discovery.k8s.io", "EndpointSlice")] = new(EndpointRules.CheckSlice, (o, old, _) => EndpointRules.UpdateSlice(o, old)),
        [("", "ConfigMap")] = new(ConfigRules.CheckConfigMap, (o, old, _) => ConfigRules.UpdateConfigMap(o, old)),
        [("", "Secret")] = new(ConfigRules.CheckSecret, (o, old, _) => ConfigRules.UpdateSecret(o, old)),
        [("", "ResourceQuota")] = new(QuotaRules.Create, QuotaRules.Update),
        [("", "LimitRange")] = Same(LimitRangeRules.Check),
        [("", "Namespace")] = new(NamespaceRules.Create, NamespaceRules.Update),
        [("", "Node")] = new(NodeRules.Create, (o, old, _) => NodeRules.Update(o, old)),
        [("", "Event")] = new(EventRules.CreateCore, (o, old, _) => EventRules.Update(o, old)),
        [("events.k8s.io", "Event")] = new(EventRules.Create, (o, old, _) => EventRules.Update(o, old)),
        [("", "PersistentVolume")] = new(VolumeObjectRules.CheckVolume, VolumeObjectRules.UpdateVolume),
        [("", "PersistentVolumeClaim")] = new(VolumeObjectRules.CheckClaim, VolumeObjectRules.UpdateClaim),
        [("storage.k8s.io", "StorageClass")] = new(StorageClassRules.Create, (o, old, _) => StorageClassRules.Update(o, old)),
        [("storage.k8s.io", "CSIDriver")] = new(DriverRules.CreateDriver, (o, old, _) => DriverRules.UpdateDriver(o, old)),
        [("storage.k8s.io", "CSINode")] = new(DriverRules.CheckNode, (o, old, _) => DriverRules.UpdateNode(o, old)),
        [("storage.k8s.io", "CSIStorageCapacity")] = new(DriverRules.CheckCapacity, (o, old, _) => DriverRules.UpdateCapacity(o, old)),
        [("storage.k8s.io", "VolumeAttachment")] = new(DriverRules.CheckAttachment, DriverRules.UpdateAttachment),
        [("storage.k8s.io", "VolumeAttributesClass")] = new(DriverRules.CheckAttributes, (o, old, _) => DriverRules.UpdateAttributes(o, old)),
        [("flowcontrol.apiserver.k8s.io", "FlowSchema")] = Same(FlowControlRules.CheckSchema),
        [("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration")] = Same(FlowControlRules.CheckLevel),
        [("apps", "Deployment")] = new(DeploymentRules.Create, DeploymentRules.Update),
        [("apps", "ReplicaSet")] = new(ReplicaSetRules.Create, ReplicaSetRules.Update),
        [("apps", "DaemonSet")] = new(DaemonSetRules.Create, DaemonSetRules.Update),
        [("", "ReplicationController")] = new(ReplicationControllerRules.Create, ReplicationControllerRules.Update),
        [("apps", "StatefulSet")] = new(StatefulSetRules.Create, StatefulSetRules.Update),
        [("apps", "ControllerRevision")] = new(ControllerRevisionRules.Create, (o, old, _) => ControllerRevisionRules.Update(o, old)),
        [("batch", "Job")] = new(JobRules.Create, JobRules.Update),
        [("batch", "CronJob")] = new(CronJobRules.Create, CronJobRules.Update),
        [("certificates.k8s.io", "CertificateSigningRequest")] = new(SigningRequestRules.Create, SigningRequestRules.Update),
        [("apiextensions.k8s.io", "CustomResourceDefinition")] = new(DefinitionRules.Create, DefinitionRules.Update),
        [("admissionregistration.k8s.io", "MutatingWebhookConfiguration")] = new(WebhookRules.Create, (o, old, _) => WebhookRules.Update(o, old)),
        [("admissionregistration.k8s.io", "ValidatingWebhookConfiguration")] = new(WebhookRules.Create, (o, old, _) => WebhookRules.Update(o, old)),
        [("apiregistration.k8s.io", "APIService")] = new(ApiServiceRules.Create, (o, old, _) => ApiServiceRules.Update(o, old)),
        [("coordination.k8s.io", "Lease")] = Same(ClassRules.CheckLease),
        [("node.k8s.io", "RuntimeClass")] = new(ClassRules.CheckRuntime, (o, old, _) => ClassRules.UpdateRuntime(o, old)),
        [("policy", "PodDisruptionBudget")] = new(DisruptionBudgetRules.Create, DisruptionBudgetRules.Update),
        [("scheduling.k8s.io", "PriorityClass")] = new(ClassRules.CreatePriority, (o, old, _) => ClassRules.UpdatePriority(o, old)),
        [(Rbac, "Role")] = Same(o => RbacRules.CheckRole(o, namespaced: true)),
        [(Rbac, "ClusterRole")] = Same(o => RbacRules.CheckRole(o, namespaced: false)),
        [(Rbac, "RoleBinding")] = new(o => RbacRules.CheckBinding(o, true), (o, old, _) => RbacRules.UpdateBinding(o, old, true)),
        [(Rbac, "ClusterRoleBinding")] = new(o => RbacRules.CheckBinding(o, false), (o, old, _) => RbacRules.UpdateBinding(o, old, false)),
    };

    /// <summary>The rules of a resource; null for those that are not stored.</summary>
    public static KindRules? Find(ResourceInfo resource) =>
        ByKind.TryGetValue((resource.Group, resource.Kind), out var rules) ? rules
        : resource.IsVirtual ? null
        : new(
            o => ObjectMetaRules.CheckCreate(o["metadata"], resource.Namespaced, Names.DnsSubdomain),
            (o, old, _) => ObjectMetaRules.CheckUpdate(o["metadata"], old["metadata"]));

    private static KindRules Same(Action<Field> check) => new(check, (o, old, _) =>
    {
        ObjectMetaRules.CheckUpdate(o["metadata"], old["metadata"]);
        check(o);
    });

    private static void UpdatePod(Field pod, Field old, string subresource)
    {
        switch (subresource)
        {
            case "":
                PodUpdateRules.Check(pod, old);
                break;
            case "status":
                PodStatusRules.Check(pod, old);
                break;
            case "ephemeralcontainers":
                EphemeralUpdateRules.Check(pod, old);
                break;
            case "resize":
                PodResizeRules.Check(pod, old);
                break;
            default:
                ObjectMetaRules.CheckUpdate(pod["metadata"], old["metadata"]);
                break;
        }
    }
}

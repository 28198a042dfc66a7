using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Quantities;
using Podhost.Api.Quota;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Admission.Quota;

/// <summary>What an object uses of quotas, worked out once for each version of it.</summary>
/// <param name="Uid">metadata.uid.</param>
/// <param name="Version">metadata.resourceVersion.</param>
/// <param name="Pod">The pod, whose scopes matter; null for other kinds.</param>
/// <param name="Claim">The claim, whose scope matters; null for other kinds.</param>
/// <param name="Usage">The amounts.</param>
internal sealed record MeasuredObject(string Uid, string Version, V1Pod? Pod, V1PersistentVolumeClaim? Claim, IReadOnlyDictionary<string, Quantity> Usage)
{
    private static readonly ResourceInfo Claims = ResourceTable.For<V1PersistentVolumeClaim>();
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private static readonly ConditionalWeakTable<CachedObject, MeasuredObject> Measured = [];

    /// <summary>An object of the caches.</summary>
    public static MeasuredObject Of(ResourceInfo resource, CachedObject cached, DateTime now)
    {
        if (Measured.TryGetValue(cached, out var known) && (known.Pod is null || PodQuota.IsLive(known.Pod, now) == known.Usage.ContainsKey("pods")))
        {
            return known;
        }

        var measured = Of(resource, cached.ToObject(), cached.ModRevision.ToString(CultureInfo.InvariantCulture), now);
        Measured.AddOrUpdate(cached, measured);
        return measured;
    }

    /// <summary>An object of a request.</summary>
    public static MeasuredObject Of(ResourceInfo resource, JsonObject obj, string version, DateTime now)
    {
        var pod = resource == Pods ? ObjectCodec.ToModel<V1Pod>(obj) : null;
        var claim = resource == Claims ? ObjectCodec.ToModel<V1PersistentVolumeClaim>(obj) : null;
        return new MeasuredObject(
            Meta.Uid(obj), version, pod is null ? null : Slim(pod), claim is null ? null : Slim(claim), pod is null ? ObjectQuota.Usage(resource, obj, now) : PodQuota.Usage(pod, now));
    }

    /// <summary>True where a quota is about the object.</summary>
    public bool IsMeantBy(V1ResourceQuota quota) => Pod is not null ? QuotaScopes.Matches(quota, Pod)
        : Claim is not null ? QuotaScopes.Matches(quota, Claim)
        : !QuotaScopes.HasAny(quota);

    // What scopes and liveness look at; the rest of the pod is not kept.
    private static V1Pod Slim(V1Pod pod) => new()
    {
        Metadata = new V1ObjectMeta
        {
            DeletionTimestamp = pod.Metadata.DeletionTimestamp,
            DeletionGracePeriodSeconds = pod.Metadata.DeletionGracePeriodSeconds,
        },
        Spec = pod.Spec,
        Status = new V1PodStatus { Phase = pod.Status?.Phase },
    };

    private static V1PersistentVolumeClaim Slim(V1PersistentVolumeClaim claim) => new()
    {
        Spec = new V1PersistentVolumeClaimSpec { VolumeAttributesClassName = claim.Spec?.VolumeAttributesClassName },
        Status = new V1PersistentVolumeClaimStatus
        {
            CurrentVolumeAttributesClassName = claim.Status?.CurrentVolumeAttributesClassName,
            ModifyVolumeStatus = claim.Status?.ModifyVolumeStatus,
        },
    };
}

using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Storage;
using Podhost.Client;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.PersistentVolumes;

/// <summary>Takes a claim one step further: chooses a volume, binds both sides, tells the phase. Every step may be repeated.</summary>
internal sealed class ClaimBinder(IApiClient client, IEventSink events)
{
    private const string BindCompleted = "pv.kubernetes.io/bind-completed";
    private const string BoundByController = "pv.kubernetes.io/bound-by-controller";

    public async Task BindAsync(V1PersistentVolumeClaim claim, ClaimSurroundings around, CancellationToken cancellationToken)
    {
        var (volumes, storageClass, defaultClass, node) = around;
        if (claim.Spec.VolumeName is { Length: > 0 } name)
        {
            await BindToAsync(claim, name, volumes.FirstOrDefault(v => v.Metadata.Name == name), cancellationToken);
        }
        else if (claim.Metadata.DeletionTimestamp is null)
        {
            var delayed = BindingRules.IsDelayed(claim, storageClass);
            var volume = BindingRules.Find(claim, volumes, node);
            if (volume is not null && (!delayed || BindingRules.IsReservedFor(volume, claim)))
            {
                await BindBothAsync(claim, volume, cancellationToken);
            }
            else if (volume is null && defaultClass is not null && !DefaultStorageClass.IsNamed(claim.Spec.StorageClassName, claim.Metadata.Annotations?.Keys ?? []))
            {
                var named = ObjectCodec.ToModel<V1PersistentVolumeClaim>(ObjectCodec.ToObject(claim));
                named.Spec.StorageClassName = defaultClass.Metadata.Name;
                await client.UpdateAsync(Typed(named), null, cancellationToken);
            }
            else
            {
                Explain(claim, storageClass, delayed);
            }
        }
    }

    private async Task BindToAsync(V1PersistentVolumeClaim claim, string name, V1PersistentVolume? volume, CancellationToken cancellationToken)
    {
        var completed = claim.Metadata.Annotations?.ContainsKey(BindCompleted) == true;
        if (volume is null || (completed && !BindingRules.IsReservedFor(volume, claim)))
        {
            if (completed && claim.Status?.Phase != "Lost")
            {
                events.Record(claim, "Warning", "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
                await TellAsync(claim, null, "Lost", cancellationToken);
            }
        }
        else if (volume.Spec.ClaimRef is not null && !BindingRules.IsReservedFor(volume, claim))
        {
            events.Record(claim, "Warning", "FailedBinding", $"volume \"{name}\" already bound to a different claim.");
        }
        else if (!completed && BindingRules.Fault(claim, volume) is { } fault)
        {
            events.Record(claim, "Warning", "VolumeMismatch", $"Cannot bind to requested volume \"{name}\": {fault}");
        }
        else
        {
            await BindBothAsync(claim, volume, cancellationToken);
        }
    }

    private async Task BindBothAsync(V1PersistentVolumeClaim claim, V1PersistentVolume volume, CancellationToken cancellationToken)
    {
        if (volume.Spec.ClaimRef?.Uid != claim.Metadata.Uid)
        {
            var bound = ObjectCodec.ToModel<V1PersistentVolume>(ObjectCodec.ToObject(volume));
            if (bound.Spec.ClaimRef is null)
            {
                (bound.Metadata.Annotations ??= new Dictionary<string, string>())[BoundByController] = "yes";
            }

            bound.Spec.ClaimRef = new V1ObjectReference
            {
                ApiVersion = "v1", Kind = "PersistentVolumeClaim", NamespaceProperty = claim.Metadata.NamespaceProperty,
                Name = claim.Metadata.Name, Uid = claim.Metadata.Uid, ResourceVersion = claim.Metadata.ResourceVersion,
            };
            await client.UpdateAsync(Typed(bound), null, cancellationToken);
        }

        if (string.IsNullOrEmpty(claim.Spec.VolumeName) || claim.Metadata.Annotations?.ContainsKey(BindCompleted) != true)
        {
            var bound = ObjectCodec.ToModel<V1PersistentVolumeClaim>(ObjectCodec.ToObject(claim));
            bound.Metadata.Annotations ??= new Dictionary<string, string>();
            bound.Metadata.Annotations[BindCompleted] = "yes";
            if (string.IsNullOrEmpty(claim.Spec.VolumeName))
            {
                bound.Metadata.Annotations[BoundByController] = "yes";
                bound.Spec.VolumeName = volume.Metadata.Name;
            }

            claim = await client.UpdateAsync(Typed(bound), null, cancellationToken);
        }

        await TellAsync(claim, volume, "Bound", cancellationToken);
    }

    private async Task TellAsync(V1PersistentVolumeClaim claim, V1PersistentVolume? volume, string phase, CancellationToken cancellationToken)
    {
        if (claim.Status?.Phase == phase)
        {
            return;
        }

        var told = ObjectCodec.ToModel<V1PersistentVolumeClaim>(ObjectCodec.ToObject(claim));
        told.Status ??= new V1PersistentVolumeClaimStatus();
        (told.Status.Phase, told.Status.AccessModes, told.Status.Capacity) = (phase, volume?.Spec.AccessModes, volume?.Spec.Capacity);
        await client.UpdateAsync(Typed(told), "status", cancellationToken);
    }

    private void Explain(V1PersistentVolumeClaim claim, V1StorageClass? storageClass, bool delayed)
    {
        var (type, reason, message) = (claim.Spec.StorageClassName, storageClass, delayed) switch
        {
            (null or "", _, _) => ("Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set"),
            (var name, null, _) => ("Warning", "ProvisioningFailed", $"storageclass.storage.k8s.io \"{name}\" not found"),
            (_, _, true) => ("Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding"),
            (_, { Provisioner: var p }, _) when p.StartsWith("kubernetes.io/", StringComparison.Ordinal) => ("Warning", "ProvisioningFailed", $"no volume plugin matched name: {p}"),
            (_, { Provisioner: var p }, _) => ("Normal", "ExternalProvisioning",
                $"Waiting for a volume to be created either by the external provisioner '{p}' or manually by the system administrator. "
                + "If volume creation is delayed, please verify that the provisioner is running and correctly registered."),
        };
        events.Record(claim, type, reason, message);
    }

    // Objects of a list come without their kind.
    private static V1PersistentVolume Typed(V1PersistentVolume volume)
    {
        (volume.ApiVersion, volume.Kind) = ("v1", "PersistentVolume");
        return volume;
    }

    private static V1PersistentVolumeClaim Typed(V1PersistentVolumeClaim claim)
    {
        (claim.ApiVersion, claim.Kind) = ("v1", "PersistentVolumeClaim");
        return claim;
    }
}

/// <summary>What there is for a claim.</summary>
/// <param name="Volumes">All volumes.</param>
/// <param name="Class">The claim's class, where it names one that is there.</param>
/// <param name="DefaultClass">The class of claims that name none, or null.</param>
/// <param name="Node">The node from which the volume must be reached, or null for any.</param>
internal sealed record ClaimSurroundings(IReadOnlyList<V1PersistentVolume> Volumes, V1StorageClass? Class, V1StorageClass? DefaultClass, V1Node? Node);

using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.PersistentVolumes;

/// <summary>Tells the phase of a volume: Available, Bound, Released, or Failed where its reclaim policy asks for what nobody here does.</summary>
internal sealed class VolumePhases(IApiClient client, IEventSink events)
{
    /// <summary>The phase and, of a failed one, why; pure.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="claim">The claim that its claimRef names, or null.</param>
    public static (string Phase, string? Reason, string? Message) Of(V1PersistentVolume volume, V1PersistentVolumeClaim? claim)
    {
        if (volume.Spec.ClaimRef is not { Uid.Length: > 0 } reference)
        {
            return ("Available", null, null);
        }

        if (claim?.Metadata.Uid == reference.Uid)
        {
            return ("Bound", null, null);
        }

        return volume.Spec.PersistentVolumeReclaimPolicy switch
        {
            "Delete" => ("Failed", "VolumeFailedDelete", $"error getting deleter volume plugin for volume \"{volume.Metadata.Name}\": no deletable volume plugin matched"),
            "Recycle" => ("Failed", "VolumeFailedRecycle", "Failed to recycle volume: Recycle is not supported; use Retain"),
            _ => ("Released", null, null),
        };
    }

    public async Task TellAsync(V1PersistentVolume volume, V1PersistentVolumeClaim? claim, CancellationToken cancellationToken)
    {
        var (phase, reason, message) = Of(volume, claim);
        if (volume.Status?.Phase == phase)
        {
            return;
        }

        if (phase is "Released" or "Failed" && volume.Spec.ClaimRef is { } reference && !await IsGoneAsync(reference, cancellationToken))
        {
            // The copy of the claims is behind that of the volumes: its own event brings us back.
            return;
        }

        var told = ObjectCodec.ToModel<V1PersistentVolume>(ObjectCodec.ToObject(volume));
        (told.ApiVersion, told.Kind) = ("v1", "PersistentVolume");
        told.Status ??= new V1PersistentVolumeStatus();
        (told.Status.Phase, told.Status.Reason, told.Status.Message) = (phase, reason, message);
        await client.UpdateAsync(told, "status", cancellationToken);
        if (reason is not null)
        {
            events.Record(volume, "Warning", reason, message!);
        }
    }

    private async Task<bool> IsGoneAsync(V1ObjectReference reference, CancellationToken cancellationToken)
    {
        try
        {
            var claim = await client.GetAsync<V1PersistentVolumeClaim>(reference.NamespaceProperty, reference.Name, cancellationToken);
            return claim.Metadata.Uid != reference.Uid;
        }
        catch (Podhost.Api.Errors.ApiException e) when (e.IsNotFound)
        {
            return true;
        }
    }
}

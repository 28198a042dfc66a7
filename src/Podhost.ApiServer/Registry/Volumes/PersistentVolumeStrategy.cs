using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Volumes;

/// <summary>PersistentVolumes tell when their phase changed last. Source: upstream's pkg/registry/core/persistentvolume.</summary>
internal sealed class PersistentVolumeStrategy(ResourceInfo resource, TimeProvider time) : VolumeStrategy(resource)
{
    private const string Transition = "lastPhaseTransitionTime";

    public override void PrepareForCreate(JsonObject obj)
    {
        base.PrepareForCreate(obj);
        Meta.Child(obj, "status")[Transition] = Now;
    }

    public override void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        base.PrepareForUpdate(obj, old, subresource);
        if (subresource != "status")
        {
            return;
        }

        var (status, before) = (Meta.Child(obj, "status"), Meta.Child(old, "status"));
        if (Meta.Text(status["phase"]) == Meta.Text(before["phase"]))
        {
            if (status[Transition] is null)
            {
                Meta.CopyField(before, status, Transition);
            }
        }
        else if (status[Transition] is null || Meta.Text(status[Transition]) == Meta.Text(before[Transition]))
        {
            status[Transition] = Now;
        }
    }

    private string Now => Meta.Time(time.GetUtcNow());
}

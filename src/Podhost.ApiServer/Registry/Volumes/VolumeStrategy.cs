using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Volumes;

/// <summary>PersistentVolumes and their claims begin as Pending.</summary>
internal class VolumeStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    public override bool ReturnsDeletedObject => true;

    public override void PrepareForCreate(JsonObject obj) => obj["status"] = new JsonObject { ["phase"] = "Pending" };
}

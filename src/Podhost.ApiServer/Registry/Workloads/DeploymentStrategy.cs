using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Workloads;

/// <summary>Deployments keep their labels where a status is written, and a change of their annotations counts as one of the object.</summary>
/// <remarks>Source: upstream's deploymentStrategy and deploymentStatusStrategy.</remarks>
internal sealed class DeploymentStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        base.PrepareForUpdate(obj, old, subresource);
        if (subresource == "status")
        {
            Meta.CopyField(Meta.Of(old), Meta.Of(obj), "labels");
        }
    }

    public override bool RaisesGeneration(JsonObject obj, JsonObject old, string subresource) =>
        base.RaisesGeneration(obj, old, subresource) || (subresource != "status" && !JsonNode.DeepEquals(Annotations(obj), Annotations(old)));

    private static JsonObject? Annotations(JsonObject obj) => Meta.Of(obj)["annotations"] is JsonObject { Count: > 0 } some ? some : null;
}

using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Custom;

/// <summary>Custom objects.</summary>
/// <remarks>Upstream: apiextensions-apiserver pkg/registry/customresource/strategy.go and status_strategy.go.</remarks>
internal sealed class CustomStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    public override bool AllowsUnconditionalUpdate => false;

    // Through the status subresource nothing but the status changes, labels neither; only its bookkeeping is kept.
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        if (subresource != "status")
        {
            base.PrepareForUpdate(obj, old, subresource);
            return;
        }

        KeepAllBut("status", obj, old);
        var metadata = (JsonObject)Meta.Of(old).DeepClone();
        Meta.CopyField(Meta.Of(obj), metadata, "managedFields");
        obj["metadata"] = metadata;
    }

    // Without a status subresource the status is a field like any other.
    public override bool RaisesGeneration(JsonObject obj, JsonObject old, string subresource) =>
        Resource.HasStatus ? ChangedOutside(obj, old, "status", "apiVersion") : ChangedOutside(obj, old, "apiVersion");
}

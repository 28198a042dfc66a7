using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Namespaces;

/// <summary>Namespaces have finalizers of their own in spec: the namespace controller removes the last one when the content is gone.</summary>
internal sealed class NamespaceStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    private const string KubernetesFinalizer = "kubernetes";
    private const string NameLabel = "kubernetes.io/metadata.name";

    public override bool ReturnsDeletedObject => true;

    public override void PrepareForCreate(JsonObject obj)
    {
        obj["status"] = new JsonObject { ["phase"] = "Active" };
        var spec = Meta.Child(obj, "spec");
        var finalizers = SpecFinalizers(obj);
        if (!finalizers.Contains(KubernetesFinalizer, StringComparer.Ordinal))
        {
            finalizers.Add(KubernetesFinalizer);
        }

        spec["finalizers"] = new JsonArray([.. finalizers.Select(f => (JsonNode)f)]);
        SetNameLabel(obj);
    }

    public override void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        if (subresource == "finalize")
        {
            Meta.CopyField(old, obj, "status");
            return;
        }

        base.PrepareForUpdate(obj, old, subresource);
        Meta.CopyField(old, obj, "spec");
        SetNameLabel(obj);
    }

    public override bool CanGo(JsonObject obj, JsonObject old) => SpecFinalizers(obj).Count == 0 && base.CanGo(obj, old);

    /// <summary>spec.finalizers.</summary>
    public static List<string> SpecFinalizers(JsonObject obj) =>
        Meta.At(obj, "spec", "finalizers") is JsonArray a ? [.. a.Select(Meta.Text)] : [];

    private static void SetNameLabel(JsonObject obj)
    {
        if (Meta.Name(obj).Length > 0)
        {
            Meta.Child(Meta.Of(obj), "labels")[NameLabel] = Meta.Name(obj);
        }
    }
}

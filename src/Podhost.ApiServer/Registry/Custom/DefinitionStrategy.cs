using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Custom;

/// <summary>CustomResourceDefinitions.</summary>
/// <remarks>Upstream: apiextensions-apiserver pkg/registry/customresourcedefinition.</remarks>
internal sealed class DefinitionStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    /// <summary>Keeps a definition until all its objects are gone.</summary>
    public const string Finalizer = "customresourcecleanup.apiextensions.k8s.io";

    public override void PrepareForCreate(JsonObject obj)
    {
        obj["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(),
            ["acceptedNames"] = new JsonObject { ["plural"] = "", ["kind"] = "" },
            ["storedVersions"] = new JsonArray(),
        };
        AddStoredVersion(obj);
    }

    public override void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        base.PrepareForUpdate(obj, old, subresource);
        if (subresource.Length == 0)
        {
            AddStoredVersion(obj);
        }
    }

    public override void PrepareForDeletion(JsonObject obj, DateTimeOffset now)
    {
        var finalizers = Meta.Finalizers(obj);
        if (!finalizers.Contains(Finalizer))
        {
            finalizers.Add(Finalizer);
            Meta.SetFinalizers(obj, finalizers);
        }

        const string message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
        DefinitionConditions.Set(obj, "Terminating", "True", "InstanceDeletionPending", message, now);
    }

    private static void AddStoredVersion(JsonObject definition)
    {
        var storage = (Meta.At(definition, "spec", "versions") as JsonArray ?? []).OfType<JsonObject>()
            .FirstOrDefault(v => v["storage"] is JsonValue flag && flag.TryGetValue(out bool isStorage) && isStorage);
        var status = Meta.Child(definition, "status");
        if (status["storedVersions"] is not JsonArray stored)
        {
            status["storedVersions"] = stored = [];
        }

        if (storage is not null && Meta.Text(storage["name"]) is { Length: > 0 } name && stored.All(v => Meta.Text(v) != name))
        {
            stored.Add((JsonNode)name);
        }
    }
}

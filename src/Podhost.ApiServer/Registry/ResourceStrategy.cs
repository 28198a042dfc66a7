using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry;

/// <summary>What is particular to a kind on its way into the store. This base class is what most kinds do.</summary>
/// <remarks>Upstream's terms: rest.RESTCreateStrategy, RESTUpdateStrategy, RESTDeleteStrategy, RESTGracefulDeleteStrategy.</remarks>
internal class ResourceStrategy(ResourceInfo resource)
{
    public ResourceInfo Resource { get; } = resource;

    /// <summary>True where a delete that removes the object at once answers with the object rather than a Status.</summary>
    public virtual bool ReturnsDeletedObject => false;

    /// <summary>True where updates may leave out resourceVersion.</summary>
    public virtual bool AllowsUnconditionalUpdate => true;

    /// <summary>True where deletion has a grace period that the object's owner ends.</summary>
    public virtual bool DeletesGracefully => false;

    /// <summary>After this time the store deletes the object; null for never.</summary>
    public virtual TimeSpan? Ttl => null;

    /// <summary>Resets what clients may not set on create. In place, before validation.</summary>
    public virtual void PrepareForCreate(JsonObject obj)
    {
        if (Resource.HasStatus)
        {
            obj.Remove("status");
        }
    }

    /// <summary>Resets what the resource or subresource may not change. In place, before validation.</summary>
    public virtual void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        if (subresource == "status")
        {
            KeepAllBut("status", obj, old);
        }
        else if (Resource.HasStatus)
        {
            Meta.CopyField(old, obj, "status");
        }
    }

    /// <summary>Changes an object whose deletion begins, before that is decided. In place.</summary>
    public virtual void PrepareForDeletion(JsonObject obj, DateTimeOffset now)
    {
    }

    /// <summary>True where the change raises metadata.generation.</summary>
    public virtual bool RaisesGeneration(JsonObject obj, JsonObject old, string subresource) =>
        Resource.HasGeneration && ChangedOutside(obj, old, "status");

    /// <summary>The grace period of a delete in seconds; only asked where <see cref="DeletesGracefully"/>.</summary>
    /// <param name="obj">The stored object.</param>
    /// <param name="requested">What the request asks for, or null.</param>
    public virtual long GraceSeconds(JsonObject obj, long? requested) => 0;

    /// <summary>True where an object that is being deleted may go, now that this update has been made.</summary>
    public virtual bool CanGo(JsonObject obj, JsonObject old) =>
        Meta.IsDeleting(obj) && Meta.Finalizers(obj).Count == 0 && (Meta.GraceSeconds(old) ?? 0) == 0;

    /// <summary>Keeps everything of the old object but one top-level field, and metadata but the owner references.</summary>
    protected static void KeepAllBut(string field, JsonObject obj, JsonObject old)
    {
        foreach (var name in obj.Select(p => p.Key).Concat(old.Select(p => p.Key)).Distinct(StringComparer.Ordinal).ToList())
        {
            if (name != field && name != "metadata")
            {
                Meta.CopyField(old, obj, name);
            }
        }

        Meta.CopyField(Meta.Of(old), Meta.Of(obj), "ownerReferences");
    }

    /// <summary>True where anything differs but metadata and the fields that are named.</summary>
    protected static bool ChangedOutside(JsonObject obj, JsonObject old, params ReadOnlySpan<string> fields)
    {
        foreach (var name in obj.Select(p => p.Key).Concat(old.Select(p => p.Key)).Distinct(StringComparer.Ordinal))
        {
            if (name != "metadata" && !fields.Contains(name) && !JsonNode.DeepEquals(obj[name], old[name]))
            {
                return true;
            }
        }

        return false;
    }
}

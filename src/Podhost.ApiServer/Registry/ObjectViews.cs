using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry;

/// <summary>Objects between the form in which they are stored and the one in which a resource shows them: events of two groups, versions of custom kinds.</summary>
internal static class ObjectViews
{
    /// <summary>True where the resource shows another form than the stored one.</summary>
    public static bool IsView(ResourceInfo resource) => resource.StoredAs is not null;

    /// <summary>The object as the resource shows it; itself where that is the stored form. Changes its argument.</summary>
    public static JsonObject ToExternal(ResourceInfo resource, JsonObject stored)
    {
        if (resource.Custom is null)
        {
            return EventViews.ToExternal(resource, stored);
        }

        CustomObjects.ToVersion(resource, stored);
        return stored;
    }

    /// <summary>The object as it is stored; itself where the resource is no view.</summary>
    public static JsonObject ToStored(ResourceInfo resource, JsonObject external)
    {
        if (resource.Custom is not { } custom)
        {
            return EventViews.ToStored(resource, external);
        }

        if (custom.StoredApiVersion == resource.ApiVersion)
        {
            return external;
        }

        var copy = (JsonObject)external.DeepClone();
        copy["apiVersion"] = custom.StoredApiVersion;
        return copy;
    }

    /// <summary>The bytes as the resource shows them.</summary>
    public static ReadOnlyMemory<byte> Utf8(ResourceInfo resource, CachedObject obj) =>
        resource.StoredAs is null ? obj.Utf8 : obj.ViewOf(resource, Make);

    private static ReadOnlyMemory<byte> Make(ResourceInfo resource, CachedObject obj)
    {
        var bytes = ObjectCodec.ToUtf8((JsonNode)ToExternal(resource, obj.ToObject()));
        return bytes.AsSpan().SequenceEqual(obj.Utf8.Span) ? obj.Utf8 : bytes;
    }
}

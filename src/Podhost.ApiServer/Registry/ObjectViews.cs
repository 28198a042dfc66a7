using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Errors;
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

        // What the webhook did not convert would be shown under a version that it is not of.
        if (resource.Custom.ConversionWebhook is not null && Meta.Text(stored["apiVersion"]) is var version && version != resource.ApiVersion)
        {
            throw ApiException.Internal($"an object of {version} was not converted to {resource.ApiVersion}");
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

    /// <summary>The bytes as the resource shows them. Of a kind that a webhook converts they must have been prepared: see <see cref="Custom.Conversions"/>.</summary>
    public static ReadOnlyMemory<byte> Utf8(ResourceInfo resource, CachedObject obj) =>
        resource.StoredAs is null ? obj.Utf8 : obj.FindView(resource) ?? Keep(resource, obj, ToExternal(resource, obj.ToObject()));

    /// <summary>A new object of the bytes as the resource shows them.</summary>
    public static JsonObject Read(ResourceInfo resource, CachedObject obj) =>
        resource.Custom is null ? ToExternal(resource, obj.ToObject()) : ObjectCodec.ParseJson(Utf8(resource, obj).Span);

    /// <summary>Keeps what a resource shows of an object. Bytes that are the stored ones are not kept twice.</summary>
    public static ReadOnlyMemory<byte> Keep(ResourceInfo resource, CachedObject obj, JsonObject external)
    {
        var bytes = ObjectCodec.ToUtf8((JsonNode)external);
        return obj.AddView(resource, bytes.AsSpan().SequenceEqual(obj.Utf8.Span) ? obj.Utf8 : bytes);
    }
}

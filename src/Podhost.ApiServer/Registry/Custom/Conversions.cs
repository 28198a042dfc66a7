using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Admission.Webhooks;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry.Custom;

/// <summary>Objects of custom kinds whose versions a webhook converts.</summary>
/// <remarks>Source: apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go.</remarks>
internal sealed class Conversions(WebhookCaller caller)
{
    private const string Group = "apiextensions.k8s.io/";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Makes sure that <see cref="ObjectViews.Utf8"/> has what a resource shows of these objects; one call for all that need it.</summary>
    /// <exception cref="ApiException">500: the webhook failed.</exception>
    public async ValueTask PrepareAsync(ResourceInfo resource, IEnumerable<CachedObject> objects, CancellationToken cancellationToken)
    {
        if (resource.Custom?.ConversionWebhook is null || resource.StoredAs is null)
        {
            return;
        }

        var open = objects.Where(o => o.FindView(resource) is null).Select(o => (Cached: o, Stored: o.ToObject())).ToList();
        var foreign = open.Where(o => Meta.Text(o.Stored["apiVersion"]) != resource.ApiVersion).ToList();
        var converted = await ConvertAsync(resource, resource.ApiVersion, [.. foreign.Select(o => o.Stored)], cancellationToken);
        foreach (var (cached, obj) in foreign.Select((o, i) => (o.Cached, converted[i])).Concat(open.Except(foreign).Select(o => (o.Cached, o.Stored))))
        {
            CustomObjects.ToVersion(resource, obj);
            ObjectViews.Keep(resource, cached, obj);
        }
    }

    /// <summary>An object as a resource shows it, anew.</summary>
    /// <exception cref="ApiException">500: the webhook failed.</exception>
    public async ValueTask<JsonObject> ReadAsync(ResourceInfo resource, CachedObject obj, CancellationToken cancellationToken)
    {
        await PrepareAsync(resource, [obj], cancellationToken);
        return ObjectViews.Read(resource, obj);
    }

    /// <summary>The form in which an object is stored.</summary>
    /// <exception cref="ApiException">500: the webhook failed.</exception>
    public async ValueTask<JsonObject> ToStoredAsync(ResourceInfo resource, JsonObject obj, CancellationToken cancellationToken) =>
        resource.Custom is { ConversionWebhook: not null } custom && custom.StoredApiVersion != resource.ApiVersion
            ? (await ConvertAsync(resource, custom.StoredApiVersion, [obj], cancellationToken))[0]
            : ObjectViews.ToStored(resource, obj);

    private async Task<IReadOnlyList<JsonObject>> ConvertAsync(
        ResourceInfo resource, string version, IReadOnlyList<JsonObject> objects, CancellationToken cancellationToken)
    {
        if (objects.Count == 0)
        {
            return [];
        }

        var webhook = resource.Custom!.ConversionWebhook!;
        var what = $"conversion webhook for {Meta.Text(objects[0]["apiVersion"])}, Kind={resource.Kind}";
        try
        {
            var target = WebhookTarget.Read(webhook["clientConfig"] as JsonObject ?? []);
            var review = (webhook["conversionReviewVersions"] as JsonArray ?? []).Select(Meta.Text).First(v => v is "v1" or "v1beta1");
            var uid = Guid.NewGuid().ToString();
            var answer = await caller.CallAsync(target, Timeout, Ask(uid, review, version, objects), cancellationToken);
            return Read(answer, uid, version, objects);
        }
        catch (Exception e) when (e is WebhookException or FormatException or JsonException)
        {
            throw ApiException.Make(500, "InternalError", $"{what} failed: {e.Message}");
        }
    }

    private static byte[] Ask(string uid, string review, string version, IReadOnlyList<JsonObject> objects) => ObjectCodec.ToUtf8((JsonNode)new JsonObject
    {
        ["kind"] = "ConversionReview",
        ["apiVersion"] = Group + review,
        ["request"] = new JsonObject
        {
            ["uid"] = uid,
            ["desiredAPIVersion"] = version,
            ["objects"] = new JsonArray([.. objects.Select(o => o.DeepClone())]),
        },
    });

    private static List<JsonObject> Read(JsonObject review, string uid, string version, IReadOnlyList<JsonObject> asked)
    {
        var response = review["response"] as JsonObject ?? throw new FormatException("response is absent");
        if (Meta.Text(response["uid"]) != uid)
        {
            throw new FormatException($"expected response.uid=\"{uid}\", got \"{Meta.Text(response["uid"])}\"");
        }

        var result = response["result"] as JsonObject ?? [];
        if (Meta.Text(result["status"]) != "Success")
        {
            throw new FormatException(Meta.Text(result["message"]) is { Length: > 0 } message ? message : "no message");
        }

        var objects = (response["convertedObjects"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        return objects.Count == asked.Count
            ? [.. objects.Select((o, i) => Checked(o, asked[i], version))]
            : throw new FormatException($"returned {objects.Count} objects, expected {asked.Count}");
    }

    // Of metadata a webhook may change labels and annotations.
    private static JsonObject Checked(JsonObject converted, JsonObject original, string version)
    {
        if (Meta.Text(converted["apiVersion"]) != version)
        {
            var received = Meta.Text(converted["apiVersion"]);
            throw new FormatException($"returned invalid converted object: invalid groupVersion (expected {version}, received {received})");
        }

        if (Meta.Name(converted) != Meta.Name(original) || Meta.Namespace(converted) != Meta.Namespace(original) || Meta.Uid(converted) != Meta.Uid(original))
        {
            throw new FormatException("returned invalid metadata: name, namespace and uid must stay");
        }

        var result = (JsonObject)converted.DeepClone();
        var metadata = (JsonObject)Meta.Of(original).DeepClone();
        Meta.CopyField(Meta.Of(converted), metadata, "labels");
        Meta.CopyField(Meta.Of(converted), metadata, "annotations");
        result["metadata"] = metadata;
        return result;
    }
}

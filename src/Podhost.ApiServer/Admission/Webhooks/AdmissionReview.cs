using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>What a webhook answered.</summary>
/// <param name="Allowed">True where the request may go on.</param>
/// <param name="Result">The Status that it gave, or null.</param>
/// <param name="Patch">The patch that it wants, or null.</param>
/// <param name="Warnings">Text for the client.</param>
internal sealed record ReviewAnswer(bool Allowed, JsonObject? Result, JsonArray? Patch, IReadOnlyList<string> Warnings);

/// <summary>AdmissionReviews: requests to webhooks and their answers. Pure.</summary>
/// <remarks>https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request</remarks>
internal static class AdmissionReview
{
    private const string Group = "admission.k8s.io/";

    /// <summary>The body of a call.</summary>
    /// <param name="request">The request.</param>
    /// <param name="seen">The version of its kind that the webhook wants to see.</param>
    /// <param name="version">v1 or v1beta1.</param>
    /// <param name="uid">Names the call; the answer repeats it.</param>
    public static byte[] Ask(AdmissionRequest request, ResourceInfo seen, string version, string uid)
    {
        var body = new JsonObject
        {
            ["uid"] = uid,
            ["kind"] = KindOf(seen, request.Subresource),
            ["resource"] = ResourceOf(seen),
            ["requestKind"] = KindOf(request.Resource, request.Subresource),
            ["requestResource"] = ResourceOf(request.Resource),
        };
        Add(body, "subResource", request.Subresource);
        Add(body, "requestSubResource", request.Subresource);
        Add(body, "name", request.Name.Length > 0 || request.Object is null ? request.Name : Meta.Name(request.Object));
        Add(body, "namespace", request.Resource.Plural == "namespaces" && request.Resource.Group.Length == 0 ? request.Name : request.Namespace);
        body["operation"] = WebhookMatching.NameOf(request.Operation);
        body["userInfo"] = UserOf(request);
        var isConnect = request.Operation == AdmissionOperation.Connect;
        body["object"] = isConnect ? ConnectOptions(request) : View(request.Resource, seen, request.Object, request.Subresource);
        body["oldObject"] = isConnect ? null : View(request.Resource, seen, request.OldObject, request.Subresource);
        body["dryRun"] = request.DryRun;
        body["options"] = request.Options?.DeepClone();
        return ObjectCodec.ToUtf8((JsonNode)new JsonObject { ["kind"] = "AdmissionReview", ["apiVersion"] = Group + version, ["request"] = body });
    }

    /// <summary>Reads an answer.</summary>
    /// <exception cref="FormatException">It is no answer to the call.</exception>
    public static ReviewAnswer Read(JsonObject review, string version, string uid)
    {
        var (apiVersion, kind) = (Meta.Text(review["apiVersion"]), Meta.Text(review["kind"]));
        if (apiVersion != Group + version || kind != "AdmissionReview")
        {
            throw new FormatException($"expected webhook response of {Group}{version}, Kind=AdmissionReview, got {apiVersion}, Kind={kind}");
        }

        var response = review["response"] as JsonObject ?? throw new FormatException("webhook response was absent");
        if (version == "v1" && Meta.Text(response["uid"]) != uid)
        {
            throw new FormatException($"expected response.uid=\"{uid}\", got \"{Meta.Text(response["uid"])}\"");
        }

        var allowed = response["allowed"] is JsonValue flag && flag.TryGetValue(out bool yes) && yes;
        return new ReviewAnswer(
            allowed, response["status"] as JsonObject, ReadPatch(response, version), [.. (response["warnings"] as JsonArray ?? []).Select(Meta.Text)]);
    }

    /// <summary>The failure of a request that a webhook denied.</summary>
    public static ApiException Denied(string webhook, JsonObject? result)
    {
        var said = Meta.Text(result?["message"]) is { Length: > 0 } message ? message : Meta.Text(result?["reason"]);
        var text = $"admission webhook \"{webhook}\" denied the request" + (said.Length > 0 ? ": " + said : " without explanation");
        var code = result?["code"] is JsonValue v && v.TryGetValue(out long n) ? (int)n : 0;
        var error = ApiException.Make(code < 400 ? 400 : code, Meta.Text(result?["reason"]), text);
        if (result?["details"] is JsonObject details)
        {
            error.Status.Details = ObjectCodec.ToModel<k8s.Models.V1StatusDetails>(details);
        }

        return error;
    }

    private static JsonArray? ReadPatch(JsonObject response, string version)
    {
        if (Meta.Text(response["patch"]) is not { Length: > 0 } patch)
        {
            return null;
        }

        if (Meta.Text(response["patchType"]) is var type && type != "JSONPatch" && !(version == "v1beta1" && type.Length == 0))
        {
            throw new FormatException($"invalid response.patchType \"{type}\", the only allowed one is JSONPatch");
        }

        return JsonNode.Parse(Convert.FromBase64String(patch)) as JsonArray ?? throw new FormatException("the patch is no list of operations");
    }

    private static JsonObject? View(ResourceInfo resource, ResourceInfo seen, JsonObject? obj, string subresource)
    {
        var copy = (JsonObject?)obj?.DeepClone();
        return copy is null || ReferenceEquals(resource, seen) || subresource is not ("" or "status")
            ? copy : ObjectViews.ToExternal(seen, ObjectViews.ToStored(resource, copy));
    }

    // The options of a connection come as query parameters.
    private static JsonObject ConnectOptions(AdmissionRequest request)
    {
        var kind = request.Resource.Subresources.FirstOrDefault(s => s.Name == request.Subresource)?.Kind ?? "";
        var options = new JsonObject { ["kind"] = kind, ["apiVersion"] = "v1" };
        foreach (var (name, value) in request.Object ?? [])
        {
            options[name] = (name, Meta.Text(value)) switch
            {
                ("command", { Length: > 0 } single) => new JsonArray(single),
                ("ports", { Length: > 0 } single) => new JsonArray(single),
                ("stdin" or "stdout" or "stderr" or "tty", var text) => text is "true" or "1",
                _ => value?.DeepClone(),
            };
        }

        return options;
    }

    private static JsonObject UserOf(AdmissionRequest request)
    {
        var user = new JsonObject { ["username"] = request.User.Name };
        Add(user, "uid", request.User.Uid);
        user["groups"] = new JsonArray([.. request.User.Groups.Select(g => (JsonNode)g)]);
        if (request.User.Extra.Count > 0)
        {
            user["extra"] = new JsonObject(request.User.Extra.Select(e =>
                KeyValuePair.Create(e.Key, (JsonNode?)new JsonArray([.. e.Value.Select(v => (JsonNode)v)]))));
        }

        return user;
    }

    private static JsonObject KindOf(ResourceInfo resource, string subresource)
    {
        var sub = resource.Subresources.FirstOrDefault(s => s.Name == subresource && s.Name != "scale");
        return new JsonObject
        {
            ["group"] = sub?.Group ?? resource.Group,
            ["version"] = sub?.Version ?? resource.Version,
            ["kind"] = sub?.Kind ?? resource.Kind,
        };
    }

    private static JsonObject ResourceOf(ResourceInfo resource) =>
        new() { ["group"] = resource.Group, ["version"] = resource.Version, ["resource"] = resource.Plural };

    private static void Add(JsonObject obj, string name, string value)
    {
        if (value.Length > 0)
        {
            obj[name] = value;
        }
    }
}

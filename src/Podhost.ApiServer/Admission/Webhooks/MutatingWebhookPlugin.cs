using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Defaulting;
using Podhost.Api.Errors;
using Podhost.Api.Patching;
using Podhost.Api.Resources;
using Podhost.Api.Schema;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>MutatingAdmissionWebhook: asks webhooks one after the other, and applies the patches that they answer.</summary>
public sealed class MutatingWebhookPlugin : IAdmissionPlugin, IDisposable
{
    private readonly WebhookConfigurations _configurations;
    private readonly WebhookCaller _caller;
    private readonly WebhookDispatcher _dispatcher;

    /// <summary>A plugin.</summary>
    /// <param name="objects">The server's objects.</param>
    /// <param name="log">Failures that are ignored are told here.</param>
    public MutatingWebhookPlugin(IObjectReader objects, ILogger log)
    {
        _configurations = new WebhookConfigurations(objects, ResourceTable.For<V1MutatingWebhookConfiguration>());
        _caller = new WebhookCaller(objects);
        _dispatcher = new WebhookDispatcher(_caller, log);
    }

    /// <inheritdoc />
    public string Name => "MutatingAdmissionWebhook";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => _configurations.All.Count > 0 && !WebhookMatching.IsExempt(request);

    /// <inheritdoc />
    public async ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var hooks = _configurations.All;
        _caller.Keep(hooks.Select(h => h.Target));
        var again = new List<Webhook>();
        foreach (var hook in request.IsReinvocation ? request.WebhooksToReinvoke : hooks)
        {
            if (WebhookMatching.Match(hook, request) is not { } seen)
            {
                continue;
            }

            var answer = await _dispatcher.AskAsync(hook, request, seen, cancellationToken);
            if (answer?.Patch is { } patch && request.Object is not null && Apply(hook, request, seen, patch))
            {
                // Those that were asked before have not seen this object.
                request.WebhooksToReinvoke = [.. again];
                request.NeedsReinvocation = true;
            }

            if (hook.IsReinvoked)
            {
                again.Add(hook);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _caller.Dispose();

    // True where the object is another one now.
    private static bool Apply(Webhook hook, AdmissionRequest request, ResourceInfo seen, JsonArray patch)
    {
        var resource = request.Resource;
        var isView = !ReferenceEquals(seen, resource);
        var before = (JsonObject)request.Object!.DeepClone();
        var shown = isView ? ObjectViews.ToExternal(seen, ObjectViews.ToStored(resource, (JsonObject)before.DeepClone())) : before;
        var patched = Patched(hook, shown, patch);
        var final = isView ? ObjectViews.ToExternal(resource, ObjectViews.ToStored(seen, patched)) : patched;
        if (request.Subresource is "" or "status" or "scale" or "resize" or "ephemeralcontainers")
        {
            final = FieldValidation.Check(resource, final).Pruned;
            final["apiVersion"] = resource.ApiVersion;
            final["kind"] = resource.Kind;
            ObjectDefaulter.Apply(resource, final);
        }

        if (JsonNode.DeepEquals(final, request.Object))
        {
            return false;
        }

        request.Object.Clear();
        foreach (var (name, value) in final.ToList())
        {
            final.Remove(name);
            request.Object[name] = value;
        }

        return true;
    }

    private static JsonObject Patched(Webhook hook, JsonObject obj, JsonArray patch)
    {
        try
        {
            return JsonPatch.Apply(obj, patch) as JsonObject ?? throw ApiException.BadRequest("the patched document is not a JSON object");
        }
        catch (ApiException e)
        {
            throw ApiException.Internal($"the patch of admission webhook \"{hook.Name}\" does not apply: {e.Message}", e);
        }
    }
}

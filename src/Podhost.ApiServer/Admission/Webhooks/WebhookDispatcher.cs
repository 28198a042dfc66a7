using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Hosting;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>Asks one webhook about a request and judges the answer.</summary>
internal sealed class WebhookDispatcher(WebhookCaller caller, ILogger log)
{
    /// <summary>The answer of a webhook that allows the request; null where the call failed and that is to be ignored.</summary>
    /// <param name="hook">The webhook.</param>
    /// <param name="request">The request.</param>
    /// <param name="seen">The version of its kind that the webhook sees.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ApiException">It denied the request, or it failed and that counts.</exception>
    public async Task<ReviewAnswer?> AskAsync(Webhook hook, AdmissionRequest request, ResourceInfo seen, CancellationToken cancellationToken)
    {
        if (request.DryRun && !hook.AllowsDryRun)
        {
            throw ApiException.BadRequest($"admission webhook \"{hook.Name}\" does not support dry run");
        }

        ReviewAnswer answer;
        try
        {
            var uid = Guid.NewGuid().ToString();
            var body = AdmissionReview.Ask(request, seen, hook.ReviewVersion, uid);
            answer = AdmissionReview.Read(await CallAsync(hook, body, cancellationToken), hook.ReviewVersion, uid);
        }
        catch (Exception e) when (e is WebhookException or FormatException or JsonException)
        {
            if (hook.IgnoresFailure)
            {
                ServerLog.WebhookFailed(log, hook.Name, e.Message);
                return null;
            }

            throw ApiException.Internal($"failed calling webhook \"{hook.Name}\": {e.Message}", e);
        }

        foreach (var warning in answer.Warnings)
        {
            lock (request.Warnings)
            {
                request.Warnings.Add(warning);
            }
        }

        return answer.Allowed ? answer : throw AdmissionReview.Denied(hook.Name, answer.Result);
    }

    private async Task<JsonObject> CallAsync(Webhook hook, byte[] body, CancellationToken cancellationToken)
    {
        try
        {
            return await caller.CallAsync(hook.Target, hook.Timeout, body, cancellationToken);
        }
        catch (WebhookException e)
        {
            throw new WebhookException("failed to call webhook: " + e.Message, e);
        }
    }
}

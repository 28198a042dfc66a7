using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Resources;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>ValidatingAdmissionWebhook: asks all webhooks at once; each may deny the request.</summary>
public sealed class ValidatingWebhookPlugin : IAdmissionPlugin, IDisposable
{
    private readonly WebhookConfigurations _configurations;
    private readonly WebhookCaller _caller;
    private readonly WebhookDispatcher _dispatcher;

    /// <summary>A plugin.</summary>
    /// <param name="objects">The server's objects.</param>
    /// <param name="log">Failures that are ignored are told here.</param>
    public ValidatingWebhookPlugin(IObjectReader objects, ILogger log)
    {
        _configurations = new WebhookConfigurations(objects, ResourceTable.For<V1ValidatingWebhookConfiguration>());
        _caller = new WebhookCaller(objects);
        _dispatcher = new WebhookDispatcher(_caller, log);
    }

    /// <inheritdoc />
    public string Name => "ValidatingAdmissionWebhook";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => _configurations.All.Count > 0 && !WebhookMatching.IsExempt(request);

    /// <inheritdoc />
    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var hooks = _configurations.All;
        _caller.Keep(hooks.Select(h => h.Target));
        var calls = hooks
            .Select(h => (Hook: h, Seen: WebhookMatching.Match(h, request)))
            .Where(c => c.Seen is not null)
            .Select(c => _dispatcher.AskAsync(c.Hook, request, c.Seen!, cancellationToken))
            .ToList();
        if (calls.Count == 0)
        {
            return;
        }

        // All are asked; the first in order that denies is told.
        await ((Task)Task.WhenAll(calls)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var call in calls)
        {
            await call;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _caller.Dispose();
}

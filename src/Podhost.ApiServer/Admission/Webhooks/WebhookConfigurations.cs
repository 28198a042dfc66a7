using Podhost.Api.Resources;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>All webhooks of a kind of configuration, in the order in which they are called: by the names of the configurations.</summary>
internal sealed class WebhookConfigurations(IObjectReader objects, ResourceInfo resource)
{
    private volatile Snapshot _snapshot = new(-1, []);

    /// <summary>The webhooks as the caches have them.</summary>
    public IReadOnlyList<Webhook> All
    {
        get
        {
            var version = objects.Version(resource);
            var snapshot = _snapshot;
            if (snapshot.Version != version)
            {
                _snapshot = snapshot = new Snapshot(version, [.. objects.List(resource).SelectMany(c => Webhook.Read(c.ToObject()))]);
            }

            return snapshot.Webhooks;
        }
    }

    private sealed record Snapshot(long Version, IReadOnlyList<Webhook> Webhooks);
}

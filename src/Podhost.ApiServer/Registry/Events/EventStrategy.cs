using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Events;

/// <summary>Events go by themselves after a while.</summary>
internal sealed class EventStrategy(ResourceInfo resource, TimeSpan ttl) : ResourceStrategy(resource)
{
    public override TimeSpan? Ttl => ttl;
}

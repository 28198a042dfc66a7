using k8s;
using k8s.Models;
using Podhost.Client.Events;

namespace Podhost.Control.Events;

/// <summary>Events of a component, by its broadcaster.</summary>
/// <param name="broadcaster">Writes them.</param>
public sealed class EventSink(EventBroadcaster broadcaster) : IEventSink
{
    /// <inheritdoc />
    public void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message)
    {
        ArgumentNullException.ThrowIfNull(about);
        broadcaster.Emit(
            new V1ObjectReference
            {
                ApiVersion = about.ApiVersion,
                Kind = about.Kind,
                Name = about.Metadata.Name,
                NamespaceProperty = about.Metadata.NamespaceProperty,
                Uid = about.Metadata.Uid,
                ResourceVersion = about.Metadata.ResourceVersion,
            },
            type,
            reason,
            message);
    }
}

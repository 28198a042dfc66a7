using k8s;
using k8s.Models;

namespace Podhost.Control.Events;

/// <summary>Records events about objects. Never blocks and never throws.</summary>
public interface IEventSink
{
    /// <summary>Records an event, aggregated with equal ones by count.</summary>
    void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message);
}

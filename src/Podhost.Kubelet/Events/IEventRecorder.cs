using k8s.Models;

namespace Podhost.Kubelet.Events;

/// <summary>Records events about pods and the node. Never blocks and never throws: the queue is bounded, the oldest is dropped and counted.</summary>
public interface IEventRecorder
{
    /// <summary>Records an event about an object, aggregated with equal ones by count.</summary>
    /// <param name="about">The object; fieldPath names a container as <c>spec.containers{name}</c>.</param>
    /// <param name="type">Normal or Warning.</param>
    /// <param name="reason">Reason, for example Pulled.</param>
    /// <param name="message">Message.</param>
    /// <param name="annotations">Annotations of the event.</param>
    void Record(V1ObjectReference about, string type, string reason, string message, IReadOnlyDictionary<string, string>? annotations = null);
}

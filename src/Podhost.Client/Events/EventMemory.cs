using k8s.Models;

namespace Podhost.Client.Events;

/// <summary>What makes two events the same, so that they are counted instead of repeated.</summary>
internal readonly record struct EventIdentity(
    string Kind, string Namespace, string Name, string Uid, string FieldPath, string Type, string Reason, string Message)
{
    internal static EventIdentity Of(V1ObjectReference about, string type, string reason, string message) => new(
        about.Kind ?? "", about.NamespaceProperty ?? "", about.Name ?? "", about.Uid ?? "", about.FieldPath ?? "", type, reason, message);
}

/// <summary>The events sent last, by identity; the least recently used are forgotten. Used by one task.</summary>
internal sealed class EventMemory(int capacity)
{
    private readonly Dictionary<EventIdentity, LinkedListNode<(EventIdentity Identity, Corev1Event Event)>> _byIdentity = [];
    private readonly LinkedList<(EventIdentity Identity, Corev1Event Event)> _byUse = [];

    internal Corev1Event? Find(EventIdentity identity)
    {
        if (!_byIdentity.TryGetValue(identity, out var node))
        {
            return null;
        }

        _byUse.Remove(node);
        _byUse.AddFirst(node);
        return node.Value.Event;
    }

    internal void Remember(EventIdentity identity, Corev1Event sent)
    {
        Forget(identity);
        _byIdentity[identity] = _byUse.AddFirst((identity, sent));
        if (_byUse.Count > capacity)
        {
            Forget(_byUse.Last!.Value.Identity);
        }
    }

    internal void Forget(EventIdentity identity)
    {
        if (_byIdentity.Remove(identity, out var node))
        {
            _byUse.Remove(node);
        }
    }
}

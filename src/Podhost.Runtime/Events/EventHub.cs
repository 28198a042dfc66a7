using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Events;

/// <summary>
/// Container events to all subscribers. A subscriber that does not keep up is cut off with ResourceExhausted, so that it lists anew
/// instead of missing an event unknowingly.
/// </summary>
internal sealed class EventHub
{
    private const int Capacity = 4096;
    private readonly Lock _lock = new();
    private readonly List<Channel<ContainerEventResponse>> _subscribers = [];
    private bool _closed;

    internal void Publish(ContainerEventResponse message)
    {
        lock (_lock)
        {
            for (var i = _subscribers.Count - 1; i >= 0; i--)
            {
                if (!_subscribers[i].Writer.TryWrite(message))
                {
                    _subscribers[i].Writer.TryComplete(new RpcException(new Status(StatusCode.ResourceExhausted, "events are not read fast enough: list and subscribe again")));
                    _subscribers.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>The subscription exists when this returns, before the first read.</summary>
    internal IAsyncEnumerable<ContainerEventResponse> Subscribe(CancellationToken cancellationToken)
    {
        var channel = Channel.CreateBounded<ContainerEventResponse>(new BoundedChannelOptions(Capacity) { SingleReader = true });
        lock (_lock)
        {
            if (_closed)
            {
                channel.Writer.Complete(Closing());
            }
            else
            {
                _subscribers.Add(channel);
            }
        }

        return ReadAsync(channel, cancellationToken);
    }

    internal void Close()
    {
        lock (_lock)
        {
            _closed = true;
            _subscribers.ForEach(subscriber => subscriber.Writer.TryComplete(Closing()));
            _subscribers.Clear();
        }
    }

    private static RpcException Closing() => new(new Status(StatusCode.Unavailable, "the runtime is closing"));

    private async IAsyncEnumerable<ContainerEventResponse> ReadAsync(
        Channel<ContainerEventResponse> channel, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return message;
            }
        }
        finally
        {
            lock (_lock)
            {
                _subscribers.Remove(channel);
            }
        }
    }
}

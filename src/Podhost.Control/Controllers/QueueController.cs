using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers;

/// <summary>
/// The frame of a controller that looks at one object at a time: it waits until its informers show what the server has, subscribes, and
/// handles the keys that changes add. A key is handled by one worker at a time; one that failed comes back after a growing delay.
/// </summary>
/// <param name="workers">How many keys are handled at once.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Tells of keys that failed.</param>
public abstract class QueueController(int workers, TimeProvider time, ILogger log) : IController
{
    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<ObjectKey>(new WorkQueueOptions(), time, log);
        var subscriptions = new Stack<IDisposable>();
        try
        {
            foreach (var subscription in Subscribe(queue))
            {
                subscriptions.Push(subscription);
            }

            await queue.RunAsync(workers, (key, stop) => ReconcileAsync(queue, key, stop), cancellationToken);
        }
        finally
        {
            // Before the queue goes, which they add to.
            while (subscriptions.TryPop(out var subscription))
            {
                subscription.Dispose();
            }
        }
    }

    /// <summary>What must have been seen before anything is decided: <c>Synced</c> of every informer that is read.</summary>
    protected abstract IReadOnlyList<Task> Synced { get; }

    /// <summary>Subscribes to informers, one after another; each is told of all its objects first. Handlers add keys and must not block.</summary>
    protected abstract IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue);

    /// <summary>Makes the world as the object of a key says, gone or changed since it was added. Throws to be called again later.</summary>
    protected abstract Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken);

    /// <summary>One step on the object of a key. Where it is gone there is nothing to do; where somebody else was faster it is looked at again later.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="key">The key.</param>
    /// <param name="objects">The copy that has the object.</param>
    /// <param name="step">The step; what else it throws brings the key back with a word in the log.</param>
    protected static async Task AttemptAsync<T>(WorkQueue<ObjectKey> queue, ObjectKey key, IInformer<T> objects, Func<T, Task> step)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (objects.Get(key.Namespace, key.Name) is not { } obj)
        {
            return;
        }

        try
        {
            await step(obj);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone.
        }
        catch (ApiException e) when (e.IsConflict || e.IsAlreadyExists)
        {
            queue.AddRateLimited(key);
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Podhost.Bench.Pods;

/// <summary>What a watch shows of a pod.</summary>
internal enum Milestone
{
    Running,
    Ready,
    Gone,
}

/// <summary>Notes when a watch shows what, on this process's clock.</summary>
internal sealed class PodWatch : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly ConcurrentDictionary<(string Pod, Milestone What), TaskCompletionSource<long>> _seen = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _reading;

    internal PodWatch(ApiConnection api) => _reading = ReadAsync(api);

    /// <summary>The timestamp at which the watch showed it.</summary>
    internal Task<long> SeesAsync(string pod, Milestone what) => Of(pod, what).Task.WaitAsync(Patience, TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _reading;
        _end.Dispose();
    }

    private async Task ReadAsync(ApiConnection api)
    {
        try
        {
            await foreach (var e in api.WatchAsync(ApiConnection.Pods + "?watch=true", _end.Token))
            {
                Note((string)e["type"]!, e["object"]!, Stopwatch.GetTimestamp());
            }
        }
        catch (OperationCanceledException)
        {
            // The end of the measurement.
        }
    }

    private void Note(string type, JsonNode pod, long at)
    {
        var name = Objects.Name(pod);
        if ((string?)pod["status"]?["phase"] == "Running")
        {
            Of(name, Milestone.Running).TrySetResult(at);
        }

        if (Objects.HasCondition(pod, "Ready"))
        {
            Of(name, Milestone.Ready).TrySetResult(at);
        }

        if (type == "DELETED")
        {
            Of(name, Milestone.Gone).TrySetResult(at);
        }
    }

    private TaskCompletionSource<long> Of(string pod, Milestone what) =>
        _seen.GetOrAdd((pod, what), _ => new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
}

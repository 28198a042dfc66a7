using System.Diagnostics;

namespace Podhost.Bench.Pods;

/// <summary>Creates and deletes pods through the API and times what a watch shows.</summary>
internal sealed class PodRounds(ApiConnection api, PodWatch watch)
{
    internal Samples Creation { get; } = new();

    internal Samples Deletion { get; } = new();

    /// <summary>One pod after another.</summary>
    internal async Task OneByOneAsync(int count)
    {
        // The first one warms up caches that a running node has.
        await OneAsync("warm", new Samples(), new Samples());
        for (var i = 0; i < count; i++)
        {
            await OneAsync($"one-{i}", Creation, Deletion);
        }
    }

    /// <summary>All at once: the time until the last is Ready.</summary>
    internal async Task<TimeSpan> AtOnceAsync(int count)
    {
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Names(count).Select(name => api.CreateAsync(ApiConnection.Pods, SamplePod.Manifest(name))));
        var ready = await Task.WhenAll(Names(count).Select(name => watch.SeesAsync(name, Milestone.Ready)));
        return Stopwatch.GetElapsedTime(started, ready.Max());
    }

    /// <summary>Deletes what <see cref="AtOnceAsync"/> made: the time until the last is gone.</summary>
    internal async Task<TimeSpan> DeleteAllAsync(int count)
    {
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Names(count).Select(name => api.DeleteAsync($"{ApiConnection.Pods}/{name}")));
        var gone = await Task.WhenAll(Names(count).Select(name => watch.SeesAsync(name, Milestone.Gone)));
        return Stopwatch.GetElapsedTime(started, gone.Max());
    }

    private static IEnumerable<string> Names(int count) => Enumerable.Range(0, count).Select(i => $"many-{i}");

    private async Task OneAsync(string name, Samples creation, Samples deletion)
    {
        var created = Stopwatch.GetTimestamp();
        await api.CreateAsync(ApiConnection.Pods, SamplePod.Manifest(name));
        creation.Add(Stopwatch.GetElapsedTime(created, await watch.SeesAsync(name, Milestone.Running)));
        // The shell needs a moment to set its trap; a signal before that would be lost to PID 1.
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        var deleted = Stopwatch.GetTimestamp();
        await api.DeleteAsync($"{ApiConnection.Pods}/{name}");
        deletion.Add(Stopwatch.GetElapsedTime(deleted, await watch.SeesAsync(name, Milestone.Gone)));
    }
}

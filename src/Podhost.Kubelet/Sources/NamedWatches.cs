using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;

namespace Podhost.Kubelet.Sources;

/// <summary>Watches of single objects of a kind by name.</summary>
internal sealed class NamedWatches<T>(IApiClient client, TimeProvider time, ILogger logger, Action<string, string> changed) : IAsyncDisposable
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string, string), NamedWatch<T>> watches = [];

    /// <summary>The object, or null where it does not exist. An object that nobody tracks is read once.</summary>
    public async ValueTask<T?> GetAsync(string ns, string name, CancellationToken cancellationToken)
    {
        NamedWatch<T>? watch;
        lock (gate)
        {
            watches.TryGetValue((ns, name), out watch);
        }

        if (watch is { Known: true })
        {
            return watch.Object;
        }

        try
        {
            return await client.GetAsync<T>(ns, name, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Makes the set of watches exactly these names.</summary>
    public void Retain(HashSet<(string, string)> names)
    {
        lock (gate)
        {
            foreach (var name in names)
            {
                if (!watches.ContainsKey(name))
                {
                    watches[name] = new NamedWatch<T>(client, name.Item1, name.Item2, time, logger, () => changed(name.Item1, name.Item2));
                }
            }

            foreach (var name in watches.Keys.Where(k => !names.Contains(k)).ToList())
            {
                watches.Remove(name, out var unused);
                unused!.Stop();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<NamedWatch<T>> all;
        lock (gate)
        {
            all = [.. watches.Values];
            watches.Clear();
        }

        foreach (var watch in all)
        {
            watch.Stop();
            await watch.Ended.ConfigureAwait(false);
        }
    }
}

/// <summary>A watch of one object, list and watch, until stopped.</summary>
internal sealed partial class NamedWatch<T> where T : class, IKubernetesObject<V1ObjectMeta>
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);
    private readonly CancellationTokenSource stop = new();
    private readonly IApiClient client;
    private readonly string? ns;
    private readonly string name;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Action changed;
    private volatile Copy? copy;

    public NamedWatch(IApiClient client, string? ns, string name, TimeProvider time, ILogger logger, Action changed)
    {
        this.client = client;
        this.ns = ns;
        this.name = name;
        this.time = time;
        this.logger = logger;
        this.changed = changed;
        Ended = Task.Run(RunAsync);
    }

    /// <summary>Completes after <see cref="Stop"/>.</summary>
    public Task Ended { get; }

    /// <summary>True while the copy is that of a living watch.</summary>
    public bool Known => copy is not null;

    public T? Object => copy?.Object;

    public void Stop() => stop.Cancel();

    private async Task RunAsync()
    {
        var delay = FirstRetry;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ListAndWatchAsync(stop.Token).ConfigureAwait(false);
                delay = FirstRetry;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                LogFailed(logger, typeof(T).Name, ns, name, e.Message);
                delay = delay * 2 < LastRetry ? delay * 2 : LastRetry;
            }

            copy = null;
            await Task.Delay(delay, time, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListAndWatchAsync(CancellationToken cancellationToken)
    {
        var selector = "metadata.name=" + name;
        var list = await client.ListAsync<T>(ns, new ListQuery(FieldSelector: selector), cancellationToken).ConfigureAwait(false);
        Set(list.Items.Count > 0 ? list.Items[0] : null);
        await foreach (var e in client.WatchAsync<T>(ns, new WatchQuery(list.ResourceVersion, FieldSelector: selector), cancellationToken).ConfigureAwait(false))
        {
            if (e.Type != WatchEventKind.Bookmark)
            {
                Set(e.Type == WatchEventKind.Deleted ? null : e.Object);
            }
        }
    }

    private void Set(T? now)
    {
        var before = copy;
        copy = new Copy(now);
        if (before is null || before.Object?.Metadata.ResourceVersion != now?.Metadata.ResourceVersion)
        {
            changed();
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Watching {Kind} {Namespace}/{Name} failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string kind, string? @namespace, string name, string error);

    private sealed record Copy(T? Object);
}

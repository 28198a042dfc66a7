using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Client;
using Podhost.Control.Controllers;
using Podhost.Control.Objects;

namespace Podhost.Control.CustomKinds;

/// <summary>Follows the objects of all custom kinds, whatever definitions come and go.</summary>
public sealed partial class CustomKindFollower : IController
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private readonly IApiClient _client;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _wake = new(1, 1);
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly List<Action<ObjectIdentity?, ObjectIdentity?>> _handlers = [];
    private readonly Dictionary<string, ObjectIdentity> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Followed> _followed = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<ResourceInfo> _kinds = [];

    /// <summary>A follower.</summary>
    /// <param name="client">Discovers, lists and watches.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public CustomKindFollower(IApiClient client, TimeProvider time, ILoggerFactory logs)
    {
        _client = client;
        _time = time;
        _log = logs.CreateLogger<CustomKindFollower>();
    }

    /// <summary>Completes when the kinds are known that are served at the start.</summary>
    internal Task Synced => _synced.Task;

    /// <summary>The custom kinds that are served, as far as is known.</summary>
    internal IReadOnlyList<ResourceInfo> Kinds => _kinds;

    /// <summary>All objects of custom kinds, a snapshot.</summary>
    internal IReadOnlyList<ObjectIdentity> List()
    {
        lock (_gate)
        {
            return [.. _objects.Values];
        }
    }

    /// <summary>Adds a handler of changes of objects of all custom kinds; it is first told what is there. Dispose to remove it.</summary>
    internal IDisposable Subscribe(Action<ObjectIdentity?, ObjectIdentity?> changed)
    {
        lock (_gate)
        {
            _handlers.Add(changed);
            foreach (var obj in _objects.Values)
            {
                changed(null, obj);
            }
        }

        return new Subscription(this, changed);
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var definitions = new MetadataFeed(_client, ResourceTable.For<V1CustomResourceDefinition>(), (_, _) => Wake(), _time, _log);
        var following = definitions.RunAsync(cancellationToken);
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                await _wake.WaitAsync(cancellationToken);
                await RefreshAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The ordinary end.
        }
        finally
        {
            await Task.WhenAll(_followed.Values.Select(f => f.Task).Append(following)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // A look is due already.
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            var kinds = await DiscoveredKinds.ReadAsync(_client, cancellationToken);
            await FollowAsync(kinds, cancellationToken);
            _kinds = kinds;
            _synced.TrySetResult();
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or System.Text.Json.JsonException)
        {
            LogFailed(e.Message);
            await Task.Delay(RetryDelay, _time, cancellationToken);
            Wake();
        }
    }

    private async Task FollowAsync(IReadOnlyList<ResourceInfo> kinds, CancellationToken cancellationToken)
    {
        var wanted = kinds.ToDictionary(k => $"{k.Group}/{k.Version}/{k.Plural}", StringComparer.Ordinal);
        foreach (var (key, followed) in _followed.Where(f => !wanted.ContainsKey(f.Key)).ToList())
        {
            await followed.Stop.CancelAsync();
            await followed.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            followed.Stop.Dispose();
            _followed.Remove(key);
        }

        foreach (var (key, kind) in wanted.Where(w => !_followed.ContainsKey(w.Key)))
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var feed = new MetadataFeed(_client, kind, Tell, _time, _log);
            _followed[key] = new Followed(feed.RunAsync(stop.Token), stop);
        }
    }

    private void Tell(ObjectIdentity? before, ObjectIdentity? after)
    {
        lock (_gate)
        {
            if (after is not null)
            {
                _objects[after.Uid] = after;
            }
            else
            {
                _objects.Remove(before!.Uid);
            }

            foreach (var handler in _handlers)
            {
                handler(before, after);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "custom kinds could not be discovered: {Error}")]
    private partial void LogFailed(string error);

    private sealed class Subscription(CustomKindFollower owner, Action<ObjectIdentity?, ObjectIdentity?> handler) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._handlers.Remove(handler);
            }
        }
    }

    private sealed record Followed(Task Task, CancellationTokenSource Stop);
}

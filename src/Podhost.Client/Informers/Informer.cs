using System.Globalization;
using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Resources;

namespace Podhost.Client.Informers;

/// <summary>
/// List and watch. It starts with a streamed list where the server can do that, resumes a broken watch where it stopped, and lists anew
/// where the server has forgotten that revision. Whatever happened between, the copy then equals the list, and handlers get the deletions.
/// </summary>
/// <param name="client">The client.</param>
/// <param name="options">What to copy.</param>
/// <param name="time">The clock of retry delays.</param>
/// <param name="random">Jitter of retry delays.</param>
/// <param name="logger">Failures are told here; they are tried again until cancelled.</param>
public sealed partial class Informer<T>(IApiClient client, InformerOptions options, TimeProvider time, Random random, ILogger logger) : IInformer<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const string InitialEventsEnd = "k8s.io/initial-events-end";
    private static readonly string Resource = ResourceTable.For<T>().QualifiedName;

    private readonly InformerCache<T> _cache = new(e => LogHandlerFailed(logger, Resource, e));
    private readonly RetryDelay _retry = new(options.MinRetryDelay, options.MaxRetryDelay, random);
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _watchList = options.PreferWatchList;
    private string? _resumeFrom;
    private ulong _seen;
    private int _failures;
    private int _running;

    /// <inheritdoc/>
    public Task Synced => _synced.Task;

    /// <inheritdoc/>
    public T? Get(string? ns, string name) => _cache.Get(new ObjectKey(ns ?? "", name));

    /// <inheritdoc/>
    public IReadOnlyList<T> List() => _cache.List();

    /// <inheritdoc/>
    public IDisposable Subscribe(Action<InformerEvent<T>> handler) => _cache.Subscribe(handler);

    /// <inheritdoc/>
    public InformerIndex<T> AddIndex(Func<T, IEnumerable<string>> valuesOf) => _cache.AddIndex(valuesOf);

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _running, 1) != 0)
        {
            throw new InvalidOperationException("the informer runs already");
        }

        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                await RoundAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            _synced.TrySetCanceled(CancellationToken.None);
        }
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_resumeFrom is null && !_watchList)
            {
                await ListAsync(cancellationToken).ConfigureAwait(false);
            }

            var events = _resumeFrom is null
                ? await WatchListAsync(cancellationToken).ConfigureAwait(false)
                : await WatchAsync(cancellationToken).ConfigureAwait(false);
            if (events > 0)
            {
                return;
            }

            // A watch that ends at once and empty, again and again, must not spin.
            LogEnded(logger, Resource);
        }
        catch (ApiException e) when (e.Code == HttpStatusCode.Gone || IsFutureRevision(e))
        {
            _resumeFrom = null;
            LogRelist(logger, Resource, e.Message);
        }
        catch (ApiException e) when (_resumeFrom is null && _watchList && e.Code is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity)
        {
            _watchList = false;
            LogNoWatchList(logger, Resource, e.Message);
            return;
        }
        catch (Exception e) when (e is ApiException or HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            _failures++;
            LogFailed(logger, Resource, _failures, e);
            if (_failures >= options.FailuresBeforeRelist)
            {
                _failures = 0;
                _resumeFrom = null;
            }
        }

        await Task.Delay(_retry.Next(), time, cancellationToken).ConfigureAwait(false);
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        var query = new ListQuery(options.LabelSelector, options.FieldSelector, options.PageSize);
        var list = await client.ListAsync<T>(options.Namespace, query, cancellationToken).ConfigureAwait(false);
        Replace(list.Items, list.ResourceVersion);
    }

    /// <summary>Collects the initial events and, after them, follows the same stream. Returns how many events came.</summary>
    private async Task<int> WatchListAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.InitialEventsTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var initial = new Dictionary<ObjectKey, T>();
        var isInitial = true;
        var count = 0;
        var query = new WatchQuery(null, options.LabelSelector, options.FieldSelector, SendInitialEvents: true);
        try
        {
            await foreach (var e in client.WatchAsync<T>(options.Namespace, query, either.Token).ConfigureAwait(false))
            {
                count++;
                if (!isInitial)
                {
                    Apply(e);
                }
                else if (e.Type == WatchEventKind.Bookmark && IsInitialEventsEnd(e.Object))
                {
                    timeout.CancelAfter(Timeout.InfiniteTimeSpan);
                    Replace([.. initial.Values], e.Object.Metadata.ResourceVersion);
                    isInitial = false;
                }
                else
                {
                    Collect(initial, e);
                }
            }
        }
        catch (OperationCanceledException) when (isInitial && timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            _watchList = false;
            LogNoWatchList(logger, Resource, "the initial events took too long");
            return 1;
        }

        return isInitial ? 0 : count;
    }

    private async Task<int> WatchAsync(CancellationToken cancellationToken)
    {
        var count = 0;
        var query = new WatchQuery(_resumeFrom, options.LabelSelector, options.FieldSelector);
        await foreach (var e in client.WatchAsync<T>(options.Namespace, query, cancellationToken).ConfigureAwait(false))
        {
            count += e.Type == WatchEventKind.Bookmark ? 0 : 1;
            Apply(e);
        }

        return count;
    }

    private static void Collect(Dictionary<ObjectKey, T> initial, WatchEvent<T> e)
    {
        switch (e.Type)
        {
            case WatchEventKind.Added or WatchEventKind.Modified:
                initial[ObjectKey.Of(e.Object)] = e.Object;
                break;
            case WatchEventKind.Deleted:
                initial.Remove(ObjectKey.Of(e.Object));
                break;
        }
    }

    private void Apply(WatchEvent<T> e)
    {
        var version = e.Object.Metadata.ResourceVersion;
        if (ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            // Revisions grow along a watch; one that does not is a repetition, and applying it could bring a deleted object back.
            if (number <= _seen && e.Type != WatchEventKind.Bookmark)
            {
                return;
            }

            _seen = Math.Max(_seen, number);
        }

        switch (e.Type)
        {
            case WatchEventKind.Added or WatchEventKind.Modified:
                _cache.Put(e.Object);
                break;
            case WatchEventKind.Deleted:
                _cache.Delete(e.Object);
                break;
        }

        _resumeFrom = string.IsNullOrEmpty(version) ? _resumeFrom : version;
        Progressed();
    }

    private void Replace(IReadOnlyList<T> items, string? resourceVersion)
    {
        _cache.Replace(items);
        _resumeFrom = resourceVersion ?? "";
        _seen = ulong.TryParse(resourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        Progressed();
        _synced.TrySetResult();
    }

    private void Progressed()
    {
        _failures = 0;
        _retry.Reset();
    }

    private static bool IsInitialEventsEnd(T bookmark) =>
        bookmark.Metadata.Annotations is { } annotations && annotations.TryGetValue(InitialEventsEnd, out var end) && end == "true";

    /// <summary>The server is behind the revision that we have seen: it was restored from an older state.</summary>
    private static bool IsFutureRevision(ApiException e) =>
        e.Status.Details?.Causes?.Any(c => c.Reason == "ResourceVersionTooLarge") == true;

    [LoggerMessage(Level = LogLevel.Debug, Message = "the watch of {Resource} ended; resuming")]
    private static partial void LogEnded(ILogger logger, string resource);

    [LoggerMessage(Level = LogLevel.Information, Message = "listing {Resource} anew: {Reason}")]
    private static partial void LogRelist(ILogger logger, string resource, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "the server does not stream lists of {Resource} ({Reason}); listing instead")]
    private static partial void LogNoWatchList(ILogger logger, string resource, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "list or watch of {Resource} failed ({Failures} times); trying again")]
    private static partial void LogFailed(ILogger logger, string resource, int failures, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "a handler of {Resource} events failed")]
    private static partial void LogHandlerFailed(ILogger logger, string resource, Exception exception);
}

using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using Podhost.Api.Errors;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>watch: one JSON document a line, until the time is up, the client is gone, or it fell behind.</summary>
internal static class WatchHandler
{
    public static async ValueTask WatchAsync(ApiServices services, RequestContext context)
    {
        var type = ReadHandlers.Accept(context) with { Yaml = false };
        var query = ListQuery.Parse(context.Query, watch: true);
        var converted = ConvertedWatch.For(services.Conversions, context.Resource!, query);
        var open = await OpenAsync(services, context, query, converted);
        using var watcher = open.Watcher;
        var response = context.Http.Response;
        response.StatusCode = 200;
        response.ContentType = "application/json";
        context.Http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.WriteWarnings();
        await response.StartAsync(context.Aborted);

        using var timeout = new CancellationTokenSource(Duration(services, query), services.Time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, context.Aborted);
        var stream = new WatchStream(response.BodyWriter, ReadHandlers.Presenter(services, context, type));
        await using var bookmarks = query.AllowBookmarks
            ? services.Time.CreateTimer(_ => watcher.RequestBookmark(), null, services.Options.BookmarkInterval, services.Options.BookmarkInterval)
            : null;
        try
        {
            await PumpAsync(open, stream, converted, ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The ordinary end of a watch.
        }
    }

    private static async ValueTask<OpenWatch> OpenAsync(ApiServices services, RequestContext context, ListQuery query, ConvertedWatch? converted)
    {
        var (info, resource) = (context.Info, context.Resource!);
        if (converted is null)
        {
            return await services.Watches.OpenAsync(resource, info.Namespace, info.Name, query, context.Aborted);
        }

        SelectableFieldRules.Check(resource, query.Fields);
        var caches = services.Store.Caches;
        await converted.BeginAsync(caches.For(resource).Snapshot.Range(caches.Layout.Prefix(resource, info.Namespace)), context.Aborted);
        return await services.Watches.OpenAsync(resource, info.Namespace, info.Name, query with { Fields = null }, context.Aborted);
    }

    private static async Task PumpAsync(OpenWatch open, WatchStream stream, ConvertedWatch? converted, CancellationToken cancellationToken)
    {
        try
        {
            await PumpAsync(open, async item =>
            {
                if ((converted is null ? item : await converted.ShowAsync(item, cancellationToken)) is { } shown)
                {
                    await stream.WriteAsync(shown, cancellationToken);
                }
            }, stream, cancellationToken);
        }
        catch (ApiException e) when (converted is not null)
        {
            // The answer has begun: a conversion that fails is told as an event, and ends the watch.
            stream.WriteError(e);
            await stream.FlushAsync(cancellationToken);
        }
    }

    private static async Task PumpAsync(OpenWatch open, Func<WatchItem, ValueTask> write, WatchStream stream, CancellationToken cancellationToken)
    {
        var watcher = open.Watcher;
        foreach (var item in watcher.Initial)
        {
            await write(item);
        }

        if (open.InitialBookmark)
        {
            stream.WriteBookmark(watcher.InitialRevision, endOfInitial: true);
        }

        await stream.FlushAsync(cancellationToken);
        while (await watcher.Items.WaitToReadAsync(cancellationToken))
        {
            while (watcher.Items.TryRead(out var item))
            {
                await write(item);
            }

            await stream.FlushAsync(cancellationToken);
        }

        // The queue was closed from the other side: the watcher was too slow, or the cache had to start anew.
        stream.WriteError(ApiException.Expired("the watch fell behind and was ended: list anew"));
        await stream.FlushAsync(cancellationToken);
    }

    private static TimeSpan Duration(ApiServices services, ListQuery query)
    {
        if (query.TimeoutSeconds > 0)
        {
            return TimeSpan.FromSeconds(Math.Min(query.TimeoutSeconds, 24 * 3600));
        }

        // Spread, so that the watches of one start do not all end at once.
        return services.Options.MinWatchDuration * (1 + services.Random.NextDouble());
    }

    /// <summary>Frames events around bytes that are there already.</summary>
    private sealed class WatchStream(PipeWriter writer, ObjectPresenter presenter)
    {
        private const int FlushAfter = 32 * 1024;
        private int _pending;

        public async ValueTask WriteAsync(WatchItem item, CancellationToken cancellationToken)
        {
            if (item.Type == CacheEventType.Bookmark)
            {
                WriteBookmark(item.Revision, endOfInitial: false);
            }
            else
            {
                Frame(Prefix(item.Type), presenter.Event(item.Object!).Span);
            }

            if (_pending > FlushAfter)
            {
                await FlushAsync(cancellationToken);
            }
        }

        public void WriteBookmark(long revision, bool endOfInitial) =>
            Frame("{\"type\":\"BOOKMARK\",\"object\":"u8, presenter.Bookmark(revision, endOfInitial).Span);

        public void WriteError(ApiException error) => Frame("{\"type\":\"ERROR\",\"object\":"u8, ResponseWriter.ErrorBody(error));

        public async ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            _pending = 0;
            var result = await writer.FlushAsync(cancellationToken);
            if (result.IsCompleted)
            {
                throw new OperationCanceledException("the client is gone", cancellationToken);
            }
        }

        private void Frame(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> obj)
        {
            var length = prefix.Length + obj.Length + 2;
            var span = writer.GetSpan(length);
            prefix.CopyTo(span);
            obj.CopyTo(span[prefix.Length..]);
            "}\n"u8.CopyTo(span[(prefix.Length + obj.Length)..]);
            writer.Advance(length);
            _pending += length;
        }

        private static ReadOnlySpan<byte> Prefix(CacheEventType type) => type switch
        {
            CacheEventType.Added => "{\"type\":\"ADDED\",\"object\":"u8,
            CacheEventType.Modified => "{\"type\":\"MODIFIED\",\"object\":"u8,
            _ => "{\"type\":\"DELETED\",\"object\":"u8,
        };
    }
}

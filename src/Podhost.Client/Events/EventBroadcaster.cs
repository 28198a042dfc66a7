using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;

namespace Podhost.Client.Events;

/// <summary>
/// Records core v1 Events. Recording never blocks and never throws; one loop sends them in order: an event that was sent before is counted
/// up by a patch, a new one is created.
/// </summary>
public sealed partial class EventBroadcaster
{
    private const int MaxMessageLength = 1024;

    private readonly IApiClient _client;
    private readonly EventBroadcasterOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RetryDelay _retry;
    private readonly EventMemory _memory;
    private readonly Channel<Record> _queue;
    private long _dropped;

    /// <summary>Makes a broadcaster; <see cref="RunAsync"/> sends.</summary>
    public EventBroadcaster(IApiClient client, EventBroadcasterOptions options, TimeProvider time, Random random, ILogger logger)
    {
        (_client, _options, _time, _logger) = (client, options, time, logger);
        _retry = new RetryDelay(TimeSpan.FromMilliseconds(100), options.MaxRetryDelay, random);
        _memory = new EventMemory(options.RememberedEvents);
        _queue = Channel.CreateBounded<Record>(
            new BoundedChannelOptions(options.QueueLength) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            _ => Interlocked.Increment(ref _dropped));
    }

    /// <summary>Events that were never sent: the queue was full, or no answer came in all attempts, or the server refused them.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Records an event about an object.</summary>
    /// <param name="about">The object; fieldPath names a container as <c>spec.containers{name}</c>.</param>
    /// <param name="type">Normal or Warning.</param>
    /// <param name="reason">Reason, for example Pulled.</param>
    /// <param name="message">Message; cut at 1024 characters, the API's limit.</param>
    /// <param name="annotations">Annotations of the event, those of the first of equal ones.</param>
    public void Emit(V1ObjectReference about, string type, string reason, string message, IReadOnlyDictionary<string, string>? annotations = null)
    {
        var cut = message.Length > MaxMessageLength ? message[..(MaxMessageLength - 3)] + "..." : message;
        _queue.Writer.TryWrite(new Record(about, type, reason, cut, annotations, _time.GetUtcNow()));
    }

    /// <summary>Sends until cancelled, then sends what waits for at most <paramref name="drain"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken, TimeSpan drain = default)
    {
        try
        {
            await foreach (var record in _queue.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                await SendAsync(record, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await DrainAsync(drain).ConfigureAwait(false);
        }
    }

    private async Task DrainAsync(TimeSpan drain)
    {
        if (drain <= TimeSpan.Zero)
        {
            return;
        }

        using var deadline = new CancellationTokenSource(drain, _time);
        try
        {
            while (!deadline.IsCancellationRequested && _queue.Reader.TryRead(out var record))
            {
                await SendAsync(record, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
        }
    }

    private async Task SendAsync(Record record, CancellationToken cancellationToken)
    {
        _retry.Reset();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await SendOnceAsync(record, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ApiException e) when ((int)e.Code < 500 && (int)e.Code != 429)
            {
                Interlocked.Increment(ref _dropped);
                LogRefused(_logger, record.Reason, record.About.Name, e.Message);
                return;
            }
            catch (Exception e) when (e is ApiException or HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                if (attempt >= _options.Attempts)
                {
                    Interlocked.Increment(ref _dropped);
                    LogGivenUp(_logger, record.Reason, record.About.Name, attempt, e);
                    return;
                }
            }

            await Task.Delay(_retry.Next(), _time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SendOnceAsync(Record record, CancellationToken cancellationToken)
    {
        var identity = EventIdentity.Of(record.About, record.Type, record.Reason, record.Message);
        if (_memory.Find(identity) is { } sent)
        {
            try
            {
                await CountUpAsync(sent, record, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Its time to live has ended: the next one starts a new count.
                _memory.Forget(identity);
            }
        }

        var made = await _client.CreateAsync(Make(record), cancellationToken).ConfigureAwait(false);
        _memory.Remember(identity, made);
    }

    private async Task CountUpAsync(Corev1Event sent, Record record, CancellationToken cancellationToken)
    {
        var count = (sent.Count ?? 1) + 1;
        var patch = new JsonObject
        {
            ["count"] = count,
            ["lastTimestamp"] = record.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        };
        await _client.PatchAsync<Corev1Event>(
            sent.Metadata.NamespaceProperty, sent.Metadata.Name, PatchKind.Merge, patch, null, cancellationToken).ConfigureAwait(false);
        sent.Count = count;
    }

    private Corev1Event Make(Record record)
    {
        // Upstream's name: the object's, a dot, and the moment in hexadecimal nanoseconds.
        var nanoseconds = (record.At - DateTimeOffset.UnixEpoch).Ticks * 100;
        var ns = string.IsNullOrEmpty(record.About.NamespaceProperty) ? "default" : record.About.NamespaceProperty;
        return new Corev1Event
        {
            Metadata = new V1ObjectMeta
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"{record.About.Name}.{nanoseconds + Interlocked.Increment(ref _sequence) % 100:x}"),
                NamespaceProperty = ns,
                Annotations = record.Annotations?.ToDictionary(),
            },
            InvolvedObject = record.About,
            Type = record.Type,
            Reason = record.Reason,
            Message = record.Message,
            Count = 1,
            FirstTimestamp = record.At.UtcDateTime,
            LastTimestamp = record.At.UtcDateTime,
            Source = new V1EventSource { Component = _options.Component, Host = _options.Host },
            ReportingComponent = _options.Component,
            ReportingInstance = _options.Host ?? "",
        };
    }

    /// <summary>Our clock counts in 100 ns: two events of one object within that must differ in the rest.</summary>
    private long _sequence;

    private sealed record Record(V1ObjectReference About, string Type, string Reason, string Message, IReadOnlyDictionary<string, string>? Annotations, DateTimeOffset At);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server refused the event {Reason} about {Name}: {Why}")]
    private static partial void LogRefused(ILogger logger, string reason, string name, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the event {Reason} about {Name} was dropped after {Attempts} attempts")]
    private static partial void LogGivenUp(ILogger logger, string reason, string name, int attempts, Exception exception);
}

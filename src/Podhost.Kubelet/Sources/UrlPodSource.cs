using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Podhost.Api.Objects;

namespace Podhost.Kubelet.Sources;

/// <summary>
/// Static pods of a web page: a Pod or a list of Pods, asked for periodically (staticPodURL). The page is read again only where its server says that it
/// changed; a page that cannot be had or read leaves all pods as they are.
/// </summary>
internal sealed partial class UrlPodSource : IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);
    private readonly Uri url;
    private readonly IReadOnlyList<(string Name, string Value)> headers;
    private readonly StaticPodReader reader;
    private readonly IPodTarget pods;
    private readonly TimeSpan period;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly HttpClient http;
    private readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Dictionary<string, StaticManifest> known = new(StringComparer.Ordinal);
    private EntityTagHeaderValue? tag;
    private DateTimeOffset? modified;
    private string complaint = "";

    public UrlPodSource(
        Uri url, IReadOnlyList<(string Name, string Value)> headers, StaticPodReader reader, IPodTarget pods, TimeSpan period, TimeProvider time, ILogger logger)
    {
        (this.url, this.headers, this.reader, this.pods, this.period, this.time, this.logger) = (url, headers, reader, pods, period, time, logger);
        http = new HttpClient(new SocketsHttpHandler { MaxAutomaticRedirections = 10, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            MaxResponseContentBufferSize = StaticPodReader.MaxBytes,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Completes when the page was read once.</summary>
    public Task Synced => synced.Task;

    /// <summary>Asks until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await LookAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(period, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Asks once.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(RequestTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var request = Request();
            using var answer = await http.SendAsync(request, either.Token).ConfigureAwait(false);
            if (answer.StatusCode == HttpStatusCode.NotModified)
            {
                Complain("");
                return;
            }

            if (answer.StatusCode != HttpStatusCode.OK)
            {
                throw new FormatException($"{(int)answer.StatusCode} {answer.ReasonPhrase}");
            }

            Apply(Read(await answer.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false)));
            (tag, modified) = (answer.Headers.ETag, answer.Content.Headers.LastModified);
            synced.TrySetResult();
            Complain("");
        }
        catch (Exception e) when (e is HttpRequestException or FormatException or IOException)
        {
            Complain(e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Complain($"no answer within {RequestTimeout.TotalSeconds} s");
        }
    }

    public void Dispose() => http.Dispose();

    private HttpRequestMessage Request()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        // Only what was taken is not asked for again.
        if (tag is not null)
        {
            request.Headers.IfNoneMatch.Add(tag);
        }

        request.Headers.IfModifiedSince = modified;
        return request;
    }

    private Dictionary<string, StaticManifest> Read(byte[] content)
    {
        if (content.Length == 0)
        {
            throw new FormatException("zero-length data received");
        }

        var json = new ManifestReader(content).Parse();
        IEnumerable<JsonObject> items = (json["kind"] as JsonValue)?.ToString() is "PodList" or "List"
            ? (json["items"] as JsonArray ?? throw new FormatException("items: Required value")).Select(Item)
            : [json];
        var result = new Dictionary<string, StaticManifest>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            // The hash of a pod is its own: another pod of the list may change.
            var text = ObjectCodec.ToUtf8(item);
            var uid = reader.UidOf(url.ToString(), text);
            result[uid] = known.GetValueOrDefault(uid) ?? Seen(reader.Read(new ManifestReader(text), uid, item));
        }

        return result;
    }

    private static JsonObject Item(JsonNode? node, int index)
    {
        var pod = node as JsonObject ?? throw new FormatException($"items[{index}]: Invalid value: must be an object");

        // The items of a typed list need not say what they are.
        pod["apiVersion"] ??= "v1";
        pod["kind"] ??= "Pod";
        return pod;
    }

    private StaticManifest Seen(StaticManifest manifest)
    {
        manifest.Pod!.Metadata.Annotations[PodAnnotations.Seen] = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffffK", CultureInfo.InvariantCulture);
        return manifest;
    }

    private void Apply(Dictionary<string, StaticManifest> now)
    {
        foreach (var uid in known.Keys.Except(now.Keys))
        {
            pods.Gone(uid, null);
        }

        foreach (var (uid, manifest) in now)
        {
            if (!known.ContainsKey(uid))
            {
                pods.Set(manifest.Pod!);
            }
        }

        known = now;
    }

    private void Complain(string what)
    {
        if (what.Length > 0 && what != complaint)
        {
            LogComplaint(logger, url.GetLeftPart(UriPartial.Path), what);
        }

        complaint = what;
    }

    [LoggerMessage(1, LogLevel.Error, "Static pods of {Url} stay as they are: {What}")]
    private static partial void LogComplaint(ILogger logger, string url, string what);
}

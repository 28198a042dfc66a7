using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Client;
using Podhost.Control.Objects;

namespace Podhost.Control.CustomKinds;

/// <summary>Metadata of all objects of a kind that has no model, kept current by list and watch.</summary>
/// <param name="client">The client.</param>
/// <param name="resource">The kind.</param>
/// <param name="changed">Told of every change in order: the object before (null for a new one) and after (null for one that is gone).</param>
/// <param name="time">The clock of retries.</param>
/// <param name="log">Failures are told here; they are tried again.</param>
internal sealed partial class MetadataFeed(
    IApiClient client, ResourceInfo resource, Action<ObjectIdentity?, ObjectIdentity?> changed, TimeProvider time, ILogger log)
{
    private const string Accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    private const string AcceptList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    private const int PageSize = 500;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, ObjectIdentity> _known = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _revision = "";

    /// <summary>Completes when the first list was told.</summary>
    public Task Synced => _synced.Task;

    /// <summary>Runs until cancelled; then everything that was told is told to be gone, because the kind is.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (_revision.Length == 0)
                {
                    await ListAsync(cancellationToken);
                    _synced.TrySetResult();
                }

                await WatchAsync(cancellationToken);
            }
            catch (ApiException e) when (e.Code == HttpStatusCode.Gone)
            {
                _revision = "";
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException or JsonException or OperationCanceledException)
            {
                _revision = "";
                LogFailed(resource.QualifiedName, e.Message);
                await Task.Delay(RetryDelay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        Replace([]);
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        var all = new List<ObjectIdentity>();
        string next = "", revision;
        do
        {
            var query = $"?limit={PageSize}" + (next.Length == 0 ? "" : "&continue=" + Uri.EscapeDataString(next));
            using var response = await SendAsync(query, AcceptList, cancellationToken);
            var page = ObjectCodec.ParseJson(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            all.AddRange((page["items"] as JsonArray ?? []).OfType<JsonObject>().Select(o => ObjectIdentity.Of(resource, o)));
            next = Text(page["metadata"]?["continue"]);
            revision = Text(page["metadata"]?["resourceVersion"]);
        }
        while (next.Length > 0);
        Replace(all);
        _revision = revision;
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        using var response = await SendAsync($"?watch=true&allowWatchBookmarks=true&resourceVersion={_revision}", Accept, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            var e = JsonNode.Parse(line) as JsonObject ?? throw new JsonException("an event is no object");
            var obj = e["object"] as JsonObject ?? throw new JsonException("an event has no object");
            if (Text(e["type"]) == "ERROR")
            {
                throw new ApiException(ObjectCodec.ToModel<V1Status>(obj));
            }

            _revision = Text(obj["metadata"]?["resourceVersion"]);
            if (Text(e["type"]) != "BOOKMARK")
            {
                Apply(ObjectIdentity.Of(resource, obj), isGone: Text(e["type"]) == "DELETED");
            }
        }
    }

    private void Replace(IReadOnlyList<ObjectIdentity> all)
    {
        var kept = all.Select(KeyOf).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _known.Where(k => !kept.Contains(k.Key)).ToList())
        {
            Apply(gone.Value, isGone: true);
        }

        foreach (var obj in all)
        {
            Apply(obj, isGone: false);
        }
    }

    private void Apply(ObjectIdentity obj, bool isGone)
    {
        var key = KeyOf(obj);
        var before = _known.GetValueOrDefault(key);
        if (isGone)
        {
            _known.Remove(key);
            changed(before ?? obj, null);
            return;
        }

        // An object of the same name that was made anew is another one.
        if (before is not null && before.Uid != obj.Uid)
        {
            changed(before, null);
            before = null;
        }

        _known[key] = obj;
        changed(before, obj);
    }

    private static string KeyOf(ObjectIdentity obj) => $"{obj.Namespace}/{obj.Name}";

    private async Task<HttpResponseMessage> SendAsync(string query, string accept, CancellationToken cancellationToken)
    {
        var path = $"/apis/{resource.Group}/{resource.Version}/{resource.Plural}{query}";
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        var response = await client.SendAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var code = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
            var reason = response.StatusCode == HttpStatusCode.Gone ? "Expired" : "Unknown";
            throw ApiException.Make((int)response.StatusCode, reason, $"the server answered {code}");
        }
    }

    private static string Text(JsonNode? node) => node is JsonValue v && v.TryGetValue(out string? text) ? text : "";

    [LoggerMessage(Level = LogLevel.Debug, Message = "list or watch of {Resource} failed: {Error}")]
    private partial void LogFailed(string resource, string error);
}

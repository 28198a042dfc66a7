using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Client.Requests;
using Podhost.Client.Watching;

namespace Podhost.Client;

/// <summary>The client on any <see cref="HttpMessageInvoker"/>: paths from the resource table, JSON through the codec.</summary>
/// <param name="invoker">The transport; not disposed here.</param>
/// <param name="options">Address, name and bounds.</param>
public sealed class ApiClient(HttpMessageInvoker invoker, ApiClientOptions options) : IApiClient
{
    private const string Json = "application/json";
    private const int MaxStatusBytes = 4 * 1024 * 1024;

    private readonly string _root = options.BaseAddress.GetLeftPart(UriPartial.Path).TrimEnd('/');

    /// <inheritdoc/>
    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta> =>
        ObjectAsync<T>(HttpMethod.Get, ResourcePath.OfObject(ResourceTable.For<T>(), ns, name), null, cancellationToken);

    /// <inheritdoc/>
    public async Task<ListResult<T>> ListAsync<T>(string? ns, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var items = new List<T>();
        string? next = null;
        while (true)
        {
            ListPage<T> page;
            try
            {
                page = await PageAsync<T>(ns, query, next, cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (next is not null && e.Code == HttpStatusCode.Gone)
            {
                // The revision of the pages was compacted between two of them: take all at once.
                items.Clear();
                next = null;
                query = query with { Limit = 0 };
                continue;
            }

            items.AddRange(page.Items);
            if (page.Continue is null)
            {
                return new ListResult<T>(items, page.ResourceVersion);
            }

            next = page.Continue;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        string? ns, WatchQuery query, [EnumeratorCancellation] CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var resource = ResourceTable.For<T>();
        using var request = Request(HttpMethod.Get, ResourcePath.WithQuery(
            ResourcePath.Of(resource, ns),
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", query.ResourceVersion),
            ("sendInitialEvents", query.SendInitialEvents ? "true" : null),
            ("resourceVersionMatch", query.SendInitialEvents ? "NotOlderThan" : null),
            ("labelSelector", query.LabelSelector),
            ("fieldSelector", query.FieldSelector)));
        using var response = await SendCheckedAsync(request, cancellationToken).ConfigureAwait(false);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var lines = new Utf8LineReader(stream, options.MaxWatchLineBytes);
            while (await NextEventAsync<T>(lines, resource, cancellationToken).ConfigureAwait(false) is { } next)
            {
                yield return next;
            }
        }
    }

    /// <inheritdoc/>
    public Task<T> CreateAsync<T>(T obj, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var resource = ResourceTable.For<T>();
        var ns = obj.Metadata?.NamespaceProperty;
        return resource.Namespaced && string.IsNullOrEmpty(ns)
            ? throw new ArgumentException($"{resource.Kind} objects live in a namespace: metadata.namespace is not set", nameof(obj))
            : ObjectAsync<T>(HttpMethod.Post, ResourcePath.Of(resource, ns), Content(obj, resource), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<T> UpdateAsync<T>(T obj, string? subresource, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var resource = ResourceTable.For<T>();
        var path = ResourcePath.OfObject(resource, obj.Metadata?.NamespaceProperty, obj.Metadata?.Name ?? "", subresource);
        return ObjectAsync<T>(HttpMethod.Put, path, Content(obj, resource), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<T> PatchAsync<T>(
        string? ns, string name, PatchKind kind, JsonNode patch, string? subresource, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var type = kind switch
        {
            PatchKind.Json => "application/json-patch+json",
            PatchKind.Merge => "application/merge-patch+json",
            PatchKind.Strategic => "application/strategic-merge-patch+json",
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
        var path = ResourcePath.OfObject(ResourceTable.For<T>(), ns, name, subresource);
        return ObjectAsync<T>(HttpMethod.Patch, path, Content(ObjectCodec.ToUtf8(patch), type), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task DeleteAsync<T>(string? ns, string name, V1DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        using var request = Request(HttpMethod.Delete, ResourcePath.OfObject(ResourceTable.For<T>(), ns, name));
        if (options is not null)
        {
            options.ApiVersion ??= "v1";
            options.Kind ??= "DeleteOptions";
            request.Content = Content(ObjectCodec.ToUtf8(options), Json);
        }

        using var response = await SendCheckedAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<JsonObject> PostSubresourceAsync<T>(
        string? ns, string name, string subresource, JsonObject body, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        using var request = Request(HttpMethod.Post, ResourcePath.OfObject(ResourceTable.For<T>(), ns, name, subresource));
        request.Content = Content(ObjectCodec.ToUtf8((JsonNode)body), Json);
        var answer = await BodyAsync(request, cancellationToken).ConfigureAwait(false);
        return Decode(answer, ObjectCodec.ParseJson);
    }

    /// <inheritdoc/>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri is { IsAbsoluteUri: false } relative)
        {
            request.RequestUri = new Uri(_root + relative.OriginalString);
        }
        else if (request.RequestUri is not null && request.RequestUri.IsFile)
        {
            // On Unix "/api" parses as an absolute file URI.
            request.RequestUri = new Uri(_root + request.RequestUri.OriginalString);
        }

        if (request.Headers.UserAgent.Count == 0)
        {
            request.Headers.TryAddWithoutValidation("User-Agent", options.UserAgent);
        }

        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        return invoker.SendAsync(request, cancellationToken);
    }

    private static ByteArrayContent Content<T>(T obj, ResourceInfo resource) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        obj.ApiVersion ??= resource.ApiVersion;
        obj.Kind ??= resource.Kind;
        return Content(ObjectCodec.ToUtf8(obj), Json);
    }

    private static ByteArrayContent Content(byte[] utf8, string type) =>
        new(utf8) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    private static HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(Json));
        return request;
    }

    private static T Decode<T>(ReadOnlyMemory<byte> utf8, Decoder<T> decode)
    {
        try
        {
            return decode(utf8.Span);
        }
        catch (JsonException e)
        {
            throw new HttpRequestException($"the server's answer cannot be read: {e.Message}", e);
        }
    }

    private delegate T Decoder<out T>(ReadOnlySpan<byte> utf8);

    private async Task<ListPage<T>> PageAsync<T>(string? ns, ListQuery query, string? next, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var resource = ResourceTable.For<T>();
        using var request = Request(HttpMethod.Get, ResourcePath.WithQuery(
            ResourcePath.Of(resource, ns),
            ("limit", query.Limit > 0 ? query.Limit.ToString(CultureInfo.InvariantCulture) : null),
            ("continue", next),
            ("resourceVersion", next is null ? query.ResourceVersion : null),
            ("labelSelector", query.LabelSelector),
            ("fieldSelector", query.FieldSelector)));
        var body = await BodyAsync(request, cancellationToken).ConfigureAwait(false);
        return Decode(body, utf8 => ListPage<T>.Parse(utf8, resource));
    }

    private async Task<T> ObjectAsync<T>(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        using var request = Request(method, path);
        request.Content = content;
        var body = await BodyAsync(request, cancellationToken).ConfigureAwait(false);
        return Decode(body, static utf8 => ObjectReader.Read<T>(utf8, ResourceTable.For<T>()));
    }

    private async Task<ReadOnlyMemory<byte>> BodyAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var response = await SendCheckedAsync(request, cancellationToken).ConfigureAwait(false);
        return await BoundedBody.ReadAsync(response.Content, options.MaxResponseBytes, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> SendCheckedAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var body = await BoundedBody.ReadAsync(response.Content, MaxStatusBytes, cancellationToken).ConfigureAwait(false);
            throw StatusReader.Read(response.StatusCode, body.Span);
        }
    }

    private static async ValueTask<WatchEvent<T>?> NextEventAsync<T>(Utf8LineReader lines, ResourceInfo resource, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
            {
                if (line.Length > 0)
                {
                    return WatchLine.Parse<T>(line.Span, resource);
                }
            }

            return null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException)
        {
            throw new HttpRequestException($"the watch broke off: {e.Message}", e);
        }
    }
}

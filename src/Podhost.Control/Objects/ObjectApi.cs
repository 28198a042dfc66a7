using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Client;

namespace Podhost.Control.Objects;

/// <summary>Requests about objects whose kind is known only at run time: the controllers that treat every kind alike.</summary>
/// <remarks>All members throw <see cref="ApiException"/> for a Status answer and <see cref="HttpRequestException"/> where no answer came.</remarks>
internal sealed class ObjectApi(IApiClient client)
{
    private const string Json = "application/json";

    // A page of a list; bounds the memory that one answer takes.
    private const int PageSize = 500;

    /// <summary>The object, or null where it does not exist.</summary>
    public async Task<JsonObject?> GetAsync(ResourceInfo resource, string? ns, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await SendAsync(HttpMethod.Get, PathOf(resource, ns, name), null, Json, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Metadata of all objects of a kind in a namespace.</summary>
    public async Task<IReadOnlyList<ObjectIdentity>> ListAsync(ResourceInfo resource, string ns, CancellationToken cancellationToken)
    {
        var all = new List<ObjectIdentity>();
        string? next = null;
        do
        {
            var query = $"?limit={PageSize}" + (next is null ? "" : $"&continue={Uri.EscapeDataString(next)}");
            var page = await SendAsync(HttpMethod.Get, PathOf(resource, ns) + query, null, Json, cancellationToken);
            all.AddRange((page["items"] as JsonArray ?? []).OfType<JsonObject>().Select(o => ObjectIdentity.Of(resource, o)));
            next = page["metadata"]?["continue"]?.GetValue<string>();
        }
        while (!string.IsNullOrEmpty(next));
        return all;
    }

    /// <summary>Deletes all objects of a kind in a namespace.</summary>
    public Task DeleteCollectionAsync(ResourceInfo resource, string ns, V1DeleteOptions options, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, PathOf(resource, ns), Options(options), Json, cancellationToken);

    /// <summary>Deletes one object.</summary>
    public Task DeleteAsync(ResourceInfo resource, string? ns, string name, V1DeleteOptions options, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, PathOf(resource, ns, name), Options(options), Json, cancellationToken);

    /// <summary>Merges a patch (RFC 7386) into an object.</summary>
    public Task<JsonObject> MergeAsync(ResourceInfo resource, string? ns, string name, JsonObject patch, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, PathOf(resource, ns, name), ObjectCodec.ToUtf8((JsonNode)patch), "application/merge-patch+json", cancellationToken);

    private static string PathOf(ResourceInfo resource, string? ns, string? name = null)
    {
        var root = resource.Group.Length == 0 ? $"/api/{resource.Version}" : $"/apis/{resource.Group}/{resource.Version}";
        var scope = resource.Namespaced && !string.IsNullOrEmpty(ns) ? $"/namespaces/{Uri.EscapeDataString(ns)}" : "";
        return $"{root}{scope}/{resource.Plural}" + (name is null ? "" : "/" + Uri.EscapeDataString(name));
    }

    private static byte[] Options(V1DeleteOptions options)
    {
        options.ApiVersion = "v1";
        options.Kind = "DeleteOptions";
        return ObjectCodec.ToUtf8(options);
    }

    private async Task<JsonObject> SendAsync(HttpMethod method, string path, byte[]? body, string type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(Json));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        }

        using var response = await client.SendAsync(request, cancellationToken);
        var answer = Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        return response.IsSuccessStatusCode ? answer : throw Failure(response.StatusCode, answer);
    }

    private static JsonObject Parse(byte[] answer)
    {
        try
        {
            return ObjectCodec.ParseJson(answer);
        }
        catch (JsonException e)
        {
            throw new HttpRequestException($"the server's answer cannot be read: {e.Message}", e);
        }
    }

    private static ApiException Failure(HttpStatusCode code, JsonObject answer) => answer["kind"]?.GetValue<string>() == "Status"
        ? new ApiException(ObjectCodec.ToModel<V1Status>(answer))
        : ApiException.Make((int)code, "Unknown", $"the server answered {(int)code}");
}

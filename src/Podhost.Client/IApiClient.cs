using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Podhost.Client;

/// <summary>
/// The one way in which our own parts talk to an API server. It works on an <see cref="HttpMessageInvoker"/>, so the transport is HTTPS to
/// any Kubernetes API server, or in-process into our own server's pipeline under a named identity: same requests, same rules.
/// </summary>
/// <remarks>All members throw <see cref="Podhost.Api.Errors.ApiException"/> for a Status answer and <see cref="HttpRequestException"/> where no answer came.</remarks>
public interface IApiClient
{
    /// <summary>Reads one object; <paramref name="ns"/> null for cluster-scoped kinds.</summary>
    Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Lists a kind in a namespace, or in all where <paramref name="ns"/> is null.</summary>
    Task<ListResult<T>> ListAsync<T>(string? ns, ListQuery query, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Watches; ends where the server ends it. An Error event is thrown as ApiException (410 Expired: list anew).</summary>
    IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchQuery query, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Creates an object.</summary>
    Task<T> CreateAsync<T>(T obj, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Replaces an object, or a subresource of it (for example <c>status</c>).</summary>
    Task<T> UpdateAsync<T>(T obj, string? subresource, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Patches an object, or a subresource of it.</summary>
    Task<T> PatchAsync<T>(string? ns, string name, PatchKind kind, JsonNode patch, string? subresource, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Deletes an object. NotFound is thrown like any other Status.</summary>
    Task DeleteAsync<T>(string? ns, string name, V1DeleteOptions? options, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Posts a body to a subresource of an object and returns the answer (binding, eviction, token, …).</summary>
    Task<JsonObject> PostSubresourceAsync<T>(string? ns, string name, string subresource, JsonObject body, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Sends any request (reviews, raw paths). The path is relative to the server's root, with a leading slash.</summary>
    Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken);
}

/// <summary>What to list.</summary>
/// <param name="LabelSelector">Label selector in its string form.</param>
/// <param name="FieldSelector">Field selector in its string form, for example <c>spec.nodeName=n1</c>.</param>
/// <param name="Limit">Most items a page; 0 for all at once.</param>
/// <param name="ResourceVersion">Null: the newest; "0": whatever the cache has.</param>
public sealed record ListQuery(string? LabelSelector = null, string? FieldSelector = null, int Limit = 0, string? ResourceVersion = null);

/// <summary>What to watch.</summary>
/// <param name="ResourceVersion">Where to resume; null with <paramref name="SendInitialEvents"/> for a streamed list.</param>
/// <param name="LabelSelector">Label selector.</param>
/// <param name="FieldSelector">Field selector.</param>
/// <param name="SendInitialEvents">Ask for the present state as ADDED events, closed by an annotated bookmark.</param>
public sealed record WatchQuery(string? ResourceVersion = null, string? LabelSelector = null, string? FieldSelector = null, bool SendInitialEvents = false);

/// <summary>A list with the revision to watch from.</summary>
/// <param name="Items">The objects.</param>
/// <param name="ResourceVersion">The list's resourceVersion.</param>
public sealed record ListResult<T>(IReadOnlyList<T> Items, string ResourceVersion);

/// <summary>One event of a watch.</summary>
/// <param name="Type">Added, Modified, Deleted or Bookmark.</param>
/// <param name="Object">The object; for a bookmark only metadata.resourceVersion and annotations are set.</param>
public sealed record WatchEvent<T>(WatchEventKind Type, T Object);

/// <summary>Kind of a watch event.</summary>
public enum WatchEventKind
{
    /// <summary>The object is new to this watch.</summary>
    Added,

    /// <summary>The object changed.</summary>
    Modified,

    /// <summary>The object is gone, or no longer selected.</summary>
    Deleted,

    /// <summary>Nothing changed up to this resourceVersion.</summary>
    Bookmark,
}

/// <summary>Kind of a patch.</summary>
public enum PatchKind
{
    /// <summary>RFC 6902.</summary>
    Json,

    /// <summary>RFC 7386.</summary>
    Merge,

    /// <summary>Kubernetes' strategic merge.</summary>
    Strategic,
}

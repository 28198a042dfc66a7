using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Podhost.ApiServer.Authn;

namespace Podhost.ApiServer.Streaming;

/// <summary>Serves the subresources that reach a kubelet: pods log, exec, attach, portforward and nodes proxy.</summary>
public interface IPodConnector
{
    /// <summary>Answers the request by itself: status, headers, body or upgrade.</summary>
    /// <exception cref="Podhost.Api.Errors.ApiException">The request cannot be served; thrown only before the response has started.</exception>
    Task ConnectAsync(ConnectRequest request, HttpContext context);

    /// <summary>Reads a JSON document of a node's kubelet, for example <c>/stats/summary</c>.</summary>
    /// <exception cref="Podhost.Api.Errors.ApiException">It does not answer, or not with one.</exception>
    Task<JsonObject> ReadAsync(JsonObject node, string path, CancellationToken cancellationToken);
}

/// <summary>A request for a node.</summary>
/// <param name="Subresource">log, exec, attach, portforward or proxy.</param>
/// <param name="Object">The Pod, or the Node for proxy.</param>
/// <param name="Node">The Node of the pod, or null where the pod is not bound or the node is not known.</param>
/// <param name="SubPath">What follows the subresource in the path (proxy), without a leading slash.</param>
/// <param name="User">Who asks; authorized and admitted already.</param>
public sealed record ConnectRequest(string Subresource, JsonObject Object, JsonObject? Node, string SubPath, UserInfo User);

using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Streaming.Proxy;

namespace Podhost.ApiServer.Streaming;

/// <summary>Reaches kubelets over HTTPS with the API server's client certificate, as upstream does: any kubelet works, upstream's too.</summary>
public sealed class KubeletConnector : IPodConnector, IDisposable
{
    private const int MaxDocumentBytes = 16 * 1024 * 1024;
    private const int MaxRefusalBytes = 64 * 1024;
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(10);
    private readonly SslClientAuthenticationOptions _tls;
    private readonly HttpMessageInvoker _http;
    private readonly UpgradeProxy _upgrades;

    /// <summary>A connector.</summary>
    /// <param name="clientCertificate">What the API server shows to kubelets.</param>
    /// <param name="authority">The authority of kubelets' serving certificates; null accepts any, as upstream does without --kubelet-certificate-authority.</param>
    /// <param name="time">The clock.</param>
    public KubeletConnector(X509Certificate2 clientCertificate, X509Certificate2? authority, TimeProvider time)
    {
        _tls = new SslClientAuthenticationOptions
        {
            ClientCertificates = [clientCertificate],
            LocalCertificateSelectionCallback = (_, _, _, _, _) => clientCertificate,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => authority is null || (certificate is not null && IssuedBy(authority, certificate)),
        };
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            SslOptions = _tls,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        });
        _upgrades = new UpgradeProxy(time);
    }

    /// <inheritdoc />
    public Task ConnectAsync(ConnectRequest request, HttpContext context)
    {
        if (request.Subresource == "proxy")
        {
            var node = ObjectCodec.ToModel<V1Node>(request.Node ?? request.Object);
            return RelayAsync(context, new Uri(KubeletEndpoint.Of(node), "/" + request.SubPath + context.Request.QueryString));
        }

        var pod = ObjectCodec.ToModel<V1Pod>(request.Object);
        var kubelet = KubeletEndpoint.Of(NodeOf(pod, request));
        return request.Subresource switch
        {
            "log" => LogAsync(context, pod, kubelet),
            "exec" => _upgrades.ProxyAsync(context, Streams(context, pod, kubelet, "exec"), _tls, null, context.RequestAborted),
            "attach" => _upgrades.ProxyAsync(context, Streams(context, pod, kubelet, "attach"), _tls, null, context.RequestAborted),
            "portforward" => _upgrades.ProxyAsync(context, PortForward(context, pod, kubelet), _tls, null, context.RequestAborted),
            _ => throw ApiException.NotFound("", "pods/" + request.Subresource, pod.Metadata.Name),
        };
    }

    /// <inheritdoc />
    public async Task<JsonObject> ReadAsync(JsonObject node, string path, CancellationToken cancellationToken)
    {
        var target = new Uri(KubeletEndpoint.Of(ObjectCodec.ToModel<V1Node>(node)), path);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(ReadTimeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, target);
            using var answer = await SendAsync(request, target, deadline.Token);
            await answer.Content.LoadIntoBufferAsync(MaxDocumentBytes, deadline.Token);
            var body = await answer.Content.ReadAsByteArrayAsync(deadline.Token);
            return answer.IsSuccessStatusCode ? ObjectCodec.ParseJson(body) : throw ApiException.Internal($"Get \"{target}\": {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw ApiException.Internal($"Get \"{target}\": {e.Message}", e);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private static V1Node NodeOf(V1Pod pod, ConnectRequest request)
    {
        if (string.IsNullOrEmpty(pod.Spec.NodeName))
        {
            throw ApiException.BadRequest($"pod {pod.Metadata.Name} does not have a host assigned");
        }

        return request.Node is { } node
            ? ObjectCodec.ToModel<V1Node>(node)
            : throw ApiException.NotFound("", "nodes", pod.Spec.NodeName);
    }

    private Task LogAsync(HttpContext context, V1Pod pod, Uri kubelet)
    {
        var asked = context.Request.Query;
        var container = ContainerChoice.Choose(pod, asked["container"]);
        var query = new QueryBuilder();
        foreach (var name in (string[])["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes", "stream"])
        {
            if (asked[name] is { Count: > 0 } value)
            {
                query.Add(name, value.ToString());
            }
        }

        return RelayAsync(context, new Uri(kubelet, $"/containerLogs/{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}/{container}{query}"), RefuseLogAsync);
    }

    // A refusal of the kubelet is the API's own answer, with the kubelet's words.
    private static async Task RefuseLogAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await answer.Content.LoadIntoBufferAsync(MaxRefusalBytes, cancellationToken);
        var text = (await answer.Content.ReadAsStringAsync(cancellationToken)).TrimEnd();
        throw answer.StatusCode switch
        {
            System.Net.HttpStatusCode.BadRequest => ApiException.BadRequest(text),
            System.Net.HttpStatusCode.NotFound => ApiException.Make(404, "NotFound", text),
            System.Net.HttpStatusCode.InternalServerError => ApiException.Internal(text),
            var code => ApiException.Make((int)code, code.ToString(), text),
        };
    }

    private static Uri Streams(HttpContext context, V1Pod pod, Uri kubelet, string verb)
    {
        var asked = context.Request.Query;
        var container = ContainerChoice.Choose(pod, asked["container"]);
        var query = new QueryBuilder();
        AddFlag(query, "input", asked["stdin"]);
        AddFlag(query, "output", asked["stdout"]);
        AddFlag(query, "error", asked["stderr"]);
        AddFlag(query, "tty", asked["tty"]);
        foreach (var word in asked["command"])
        {
            query.Add("command", word ?? "");
        }

        return new Uri(kubelet, $"/{verb}/{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}/{container}{query}");
    }

    private static Uri PortForward(HttpContext context, V1Pod pod, Uri kubelet)
    {
        if (pod.Status?.Phase != "Running")
        {
            throw ApiException.BadRequest($"unable to forward port because pod is not running. Current status={pod.Status?.Phase}");
        }

        var query = new QueryBuilder();
        foreach (var ports in context.Request.Query["ports"])
        {
            query.Add("port", ports ?? "");
        }

        return new Uri(kubelet, $"/portForward/{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}{query}");
    }

    private static void AddFlag(QueryBuilder query, string name, StringValues value)
    {
        if (value.ToString() is "true" or "1")
        {
            query.Add(name, "1");
        }
    }

    // Plain requests: the body streams through as it comes, so that followed logs appear at once.
    private async Task RelayAsync(HttpContext context, Uri target, Func<HttpResponseMessage, CancellationToken, Task>? refuse = null)
    {
        if (UpgradeProxy.IsUpgradeRequest(context.Request))
        {
            await RelayUpgradeAsync(context, target);
            return;
        }

        using var outgoing = new HttpRequestMessage(new HttpMethod(context.Request.Method), target);
        if (context.Request.ContentLength > 0)
        {
            outgoing.Content = new StreamContent(context.Request.Body);
            outgoing.Content.Headers.TryAddWithoutValidation("Content-Type", context.Request.ContentType);
        }

        using var answer = await SendAsync(outgoing, target, context.RequestAborted);
        if (refuse is not null && !answer.IsSuccessStatusCode)
        {
            await refuse(answer, context.RequestAborted);
        }

        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.StartAsync(context.RequestAborted);
        await using var body = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
        await ResponseCopy.CopyAsync(body, context);
    }

    // kubectl's logs over a WebSocket and proxied streams of a kubelet.
    private Task RelayUpgradeAsync(HttpContext context, Uri target) => _upgrades.ProxyAsync(context, target, _tls, null, context.RequestAborted);

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Uri target, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw ApiException.Internal($"Get \"{target}\": {e.Message}", e);
        }
    }

    private static bool IssuedBy(X509Certificate2 authority, X509Certificate certificate)
    {
        using var leaf = new X509Certificate2(certificate);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf);
    }
}

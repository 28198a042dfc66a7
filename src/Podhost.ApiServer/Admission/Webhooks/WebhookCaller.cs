using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>Calls webhooks over HTTPS. A service is reached at its address in the cluster; its certificate has to name it.</summary>
/// <param name="objects">Looks up services.</param>
internal sealed class WebhookCaller(IObjectReader objects) : IDisposable
{
    private const int MaxAnswerBytes = 3 * 1024 * 1024;
    private static readonly ResourceInfo Services = ResourceTable.For<V1Service>();
    private readonly ConcurrentDictionary<(string Authorities, string Host), Lazy<HttpMessageInvoker>> _clients = new();

    /// <summary>Posts a review and returns the answer.</summary>
    /// <exception cref="WebhookException">No answer came that can be read; the message says why, in upstream's words.</exception>
    public async Task<JsonObject> CallAsync(WebhookTarget target, TimeSpan timeout, byte[] body, CancellationToken cancellationToken)
    {
        var url = new UriBuilder(target.Url) { Query = $"timeout={(int)timeout.TotalSeconds}s" }.Uri;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url)
            {
                Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            };
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Headers.TryAddWithoutValidation("User-Agent", "kube-apiserver-admission");
            using var response = await Client(target).SendAsync(request, deadline.Token);
            return await ReadAsync(response, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WebhookException($"Post \"{url}\": context deadline exceeded");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            throw new WebhookException($"Post \"{url}\": {(e.InnerException ?? e).Message}", e);
        }
    }

    /// <summary>Lets go of connections that no webhook needs any more.</summary>
    public void Keep(IEnumerable<WebhookTarget> targets)
    {
        var kept = targets.Select(KeyOf).ToHashSet();
        foreach (var key in _clients.Keys.Where(k => !kept.Contains(k)))
        {
            // Calls under way finish: the connections go when they are idle.
            _clients.TryRemove(key, out _);
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values.Where(c => c.IsValueCreated))
        {
            client.Value.Dispose();
        }
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > MaxAnswerBytes)
        {
            throw new WebhookException("the answer is too large");
        }

        var buffer = new ArrayBufferWriter<byte>(16 * 1024);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        int read;
        while ((read = await stream.ReadAsync(buffer.GetMemory(16 * 1024), cancellationToken)) > 0)
        {
            buffer.Advance(read);
            if (buffer.WrittenCount > MaxAnswerBytes)
            {
                throw new WebhookException("the answer is too large");
            }
        }

        if (!response.IsSuccessStatusCode)
        {
            var text = System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan[..Math.Min(buffer.WrittenCount, 256)]);
            throw new WebhookException(
                $"the server responded with the status code {(int)response.StatusCode} but did not return more information: {text.Trim()}");
        }

        return ObjectCodec.ParseJson(buffer.WrittenSpan);
    }

    private HttpMessageInvoker Client(WebhookTarget target) =>
        _clients.GetOrAdd(KeyOf(target), _ => new Lazy<HttpMessageInvoker>(() => new HttpMessageInvoker(Handler(target)))).Value;

    private static (string, string) KeyOf(WebhookTarget target) => (target.Authorities, target.Url.Authority);

    private SocketsHttpHandler Handler(WebhookTarget target)
    {
        var authorities = new X509Certificate2Collection();
        if (target.Authorities.Length > 0)
        {
            authorities.ImportFromPem(target.Authorities);
        }

        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxConnectionsPerServer = 100,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = authorities.Count == 0 ? null
                    : (_, certificate, chain, errors) => IsTrusted(certificate, chain, errors, authorities),
            },
        };
        if (target.Service is { } service)
        {
            handler.ConnectCallback = (context, stop) => ConnectAsync(service, context.DnsEndPoint.Port, stop);
        }

        return handler;
    }

    private async ValueTask<Stream> ConnectAsync((string Namespace, string Name) service, int port, CancellationToken cancellationToken)
    {
        var found = objects.Get(Services, service.Namespace, service.Name)?.ToObject()
            ?? throw new IOException($"service \"{service.Name}\" not found");
        var spec = found["spec"] as JsonObject ?? [];
        if ((spec["ports"] as JsonArray ?? []).OfType<JsonObject>().All(p => !(p["port"] is JsonValue v && v.TryGetValue(out long n) && n == port)))
        {
            throw new IOException($"no service port {port} found for service \"{service.Name}\"");
        }

        if (!IPAddress.TryParse(Meta.Text(spec["clusterIP"]), out var address))
        {
            throw new IOException($"service \"{service.Name}\" has no address in the cluster");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsTrusted(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, X509Certificate2Collection authorities)
    {
        if (certificate is null || chain is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return false;
        }

        using var built = new X509Chain();
        built.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        built.ChainPolicy.CustomTrustStore.AddRange(authorities);
        built.ChainPolicy.ExtraStore.AddRange(chain.ChainElements.Select(e => e.Certificate).ToArray());
        built.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        using var leaf = new X509Certificate2(certificate);
        return built.Build(leaf);
    }
}

/// <summary>A webhook could not be asked.</summary>
internal sealed class WebhookException(string message, Exception? inner = null) : Exception(message, inner);

using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Podhost.Integration.Tests.Conformance;

/// <summary>
/// Takes HTTP and HTTPS requests on loopback and remembers their paths; httpGet hooks that name the host 127.0.0.1 come here from the kubelet.
/// The path <c>/status/503</c> is answered with that status, any other with 200.
/// </summary>
internal sealed class HookServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _seen = new();
    private readonly TcpListener _http = new(IPAddress.Loopback, 0);
    private readonly TcpListener _https = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate = SelfSigned();
    private readonly Task _served;

    public HookServer()
    {
        _http.Start();
        _https.Start();
        _served = Task.WhenAll(ServeAsync(_http, tls: false), ServeAsync(_https, tls: true));
    }

    public int HttpPort => ((IPEndPoint)_http.LocalEndpoint).Port;

    public int HttpsPort => ((IPEndPoint)_https.LocalEndpoint).Port;

    /// <summary>Paths that were asked for, by scheme: <c>https /path</c>.</summary>
    public IReadOnlyCollection<string> Seen => _seen;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _served;
        _http.Dispose();
        _https.Dispose();
        _stop.Dispose();
        _certificate.Dispose();
    }

    private async Task ServeAsync(TcpListener listener, bool tls)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(_stop.Token);
                await AnswerAsync(client, tls);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task AnswerAsync(TcpClient client, bool tls)
    {
        try
        {
            await using Stream stream = tls ? new SslStream(client.GetStream()) : client.GetStream();
            if (stream is SslStream ssl)
            {
                await ssl.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
            }

            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            var first = await reader.ReadLineAsync(_stop.Token) ?? "";
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 })
            {
                // The header.
            }

            var path = first.Split(' ').ElementAtOrDefault(1) ?? "";
            _seen.Enqueue((tls ? "https " : "http ") + path);
            var status = path.StartsWith("/status/", StringComparison.Ordinal) ? path[8..] : "200";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} As asked\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), _stop.Token);
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // A client that went: the next one is served.
        }
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=hooks", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Standalone;

/// <summary>A kubelet's HTTPS API, used as a user whom a certificate authority of the tests vouches for.</summary>
public sealed class KubeletApi : IDisposable
{
    private readonly HttpClient _http;
    private readonly X509Certificate2? _certificate;
    private readonly int _port;

    private KubeletApi(int port, X509Certificate2? certificate)
    {
        _port = port;
        _certificate = certificate;
        var handler = new SocketsHttpHandler { SslOptions = Options() };
        _http = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>Writes the certificate of a new authority to a file and says who signs with it.</summary>
    public static X509Certificate2 NewAuthority(string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var authority = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        File.WriteAllText(file, authority.ExportCertificatePem());
        return authority;
    }

    /// <summary>The API as a user; null: as nobody.</summary>
    public static KubeletApi As(Instance instance, X509Certificate2 authority, string? subject)
    {
        if (subject is null)
        {
            return new KubeletApi(instance.KubeletPort, null);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, [1, 2, 3, 4]);
        using var whole = certificate.CopyWithPrivateKey(key);
        return new KubeletApi(instance.KubeletPort, X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null));
    }

    /// <summary>Code and text of a page.</summary>
    public async Task<(HttpStatusCode Code, string Text)> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(path);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The pods as the kubelet sees them.</summary>
    public async Task<List<JsonNode>> PodsAsync() => [.. (await _http.GetFromJsonAsync<JsonObject>("/pods"))!["items"]!.AsArray().Select(p => p!)];

    /// <summary>Waits until the pods are as they should be. The kubelet's API has no watch: it is asked again and again.</summary>
    public async Task<List<JsonNode>> UntilAsync(Func<List<JsonNode>, bool> holds, string what, Instance instance)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var pods = new List<JsonNode>();
        while (!stop.IsCancellationRequested)
        {
            pods = await PodsAsync();
            if (holds(pods))
            {
                return pods;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        Assert.Fail($"{what}:\n{new JsonArray([.. pods.Select(p => p["status"]?.DeepClone())])}\n{instance.Log}");
        return pods;
    }

    /// <summary>Waits until a pod of a static manifest runs, ready; its containers' first.</summary>
    public async Task<JsonNode> ReadyAsync(Instance instance, string name, string? notUid = null)
    {
        JsonNode? found = null;
        await UntilAsync(
            pods => (found = pods.LastOrDefault(p => $"{p["metadata"]!["name"]}" == $"{name}-{instance.Node}" && $"{p["metadata"]!["uid"]}" != notUid && IsReady(p))) is not null,
            $"{name} is not ready",
            instance);
        return found!;
    }

    /// <summary>Output of a command in a container, by a WebSocket session.</summary>
    public async Task<string> ExecAsync(string pod, params string[] command)
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("v5.channel.k8s.io");
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        socket.Options.ClientCertificates.Add(_certificate!);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var query = string.Concat(command.Select(c => "&command=" + Uri.EscapeDataString(c)));
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{_port}/exec/default/{pod}/main?output=1&error=1{query}"), stop.Token);
        var output = new StringBuilder();
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, stop.Token) is { MessageType: not WebSocketMessageType.Close } frame)
        {
            if (frame.Count > 1 && buffer[0] is 1 or 2)
            {
                output.Append(Encoding.UTF8.GetString(buffer, 1, frame.Count - 1));
            }
        }

        return output.ToString();
    }

    /// <summary>ID of the first container.</summary>
    public static string ContainerOf(JsonNode pod) => $"{pod["status"]!["containerStatuses"]![0]!["containerID"]}";

    public void Dispose()
    {
        _http.Dispose();
        _certificate?.Dispose();
    }

    private static bool IsReady(JsonNode pod) =>
        pod["status"]?["conditions"] is JsonArray conditions && conditions.Any(c => $"{c!["type"]}" == "Ready" && $"{c["status"]}" == "True");

    private SslClientAuthenticationOptions Options() => new()
    {
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
        ClientCertificates = _certificate is null ? null : [_certificate],
        LocalCertificateSelectionCallback = _certificate is null ? null : (_, _, _, _, _) => _certificate,
    };
}

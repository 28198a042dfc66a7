using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Conformance;

/// <summary>exec and log over WebSockets, in the protocols that kubectl does not use.</summary>
public sealed class WebSocketTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Commands_and_logs_come_over_web_sockets()
    {
        await K.ApplyAsync(ShellPod("socket", "echo container is alive; sleep 1000"));
        await K.ReadyAsync("socket");
        await K.ShellAsync("until $K logs socket | grep -q alive; do sleep 0.1; done");
        const string exec = "exec?stdout=1&stderr=1&container=main&command=echo&command=remote+execution+test";
        var binary = await ReceiveAsync(exec, "channel.k8s.io");

        // Of a message the first byte is the channel; one without more only says that the channel is there.
        Assert.All(binary, m => Assert.True(m.Length == 1 || m[0] == 1, $"channel {m[0]}"));
        Assert.Equal("remote execution test\n", string.Concat(binary.Where(m => m.Length > 1).Select(m => Encoding.UTF8.GetString(m, 1, m.Length - 1))));
        var text = await ReceiveAsync(exec, "base64.channel.k8s.io");
        Assert.Equal("remote execution test\n", string.Concat(text.Where(m => m[0] == '1').Select(m => Encoding.UTF8.GetString(Convert.FromBase64String(Encoding.ASCII.GetString(m, 1, m.Length - 1))))));

        var log = await ReceiveAsync("log?container=main", "binary.k8s.io");
        Assert.Equal("container is alive\n", Encoding.UTF8.GetString([.. log.SelectMany(m => m)]));
        var encoded = await ReceiveAsync("log?container=main", "base64.binary.k8s.io");
        Assert.Equal("container is alive\n", string.Concat(encoded.Select(m => Encoding.UTF8.GetString(Convert.FromBase64String(Encoding.ASCII.GetString(m))))));
        await K.OkAsync("delete pod socket --timeout=20s");
    }

    // Every message until the server closes.
    private async Task<List<byte[]>> ReceiveAsync(string query, string protocol)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var certificate = await ClientCertificateAsync();
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        socket.Options.ClientCertificates.Add(certificate);
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, errors) => errors is SslPolicyErrors.None or SslPolicyErrors.RemoteCertificateChainErrors;
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{Cluster.SecurePort}/api/v1/namespaces/{K.Namespace}/pods/socket/{query}"), stop.Token);
        Assert.Equal(protocol, socket.SubProtocol);
        var messages = new List<byte[]>();
        var buffer = new byte[64 * 1024];
        var filled = 0;
        while (await socket.ReceiveAsync(buffer.AsMemory(filled), stop.Token) is { MessageType: not WebSocketMessageType.Close } part)
        {
            filled += part.Count;
            if (part.EndOfMessage)
            {
                messages.Add(buffer[..filled]);
                filled = 0;
            }
        }

        return [.. messages.Where(m => m.Length > 0)];
    }

    private async Task<X509Certificate2> ClientCertificateAsync()
    {
        async Task<string> Pem(string field) => Encoding.ASCII.GetString(Convert.FromBase64String(await K.OkAsync("config view --raw -o", $"jsonpath={{.users[0].user.{field}}}")));
        var (certificate, key) = (await Pem("client-certificate-data"), await Pem("client-key-data"));
        using var pair = X509Certificate2.CreateFromPem(certificate, key);
        return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pfx), null);
    }
}

using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using NSubstitute;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Pods;
using Podhost.Kubelet.Server;
using Podhost.Streaming.Contract;
using Podhost.Streaming.Server;

namespace Podhost.Kubelet.Tests.Server;

/// <summary>The server over real TLS, with a runtime and pods of the test.</summary>
public sealed class KubeletServerTests : IAsyncLifetime
{
    private static readonly CancellationToken Deadline = new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;
    private readonly X509Certificate2 authority = Authority("test-ca");
    private readonly IRuntimeService runtime = Substitute.For<IRuntimeService>();
    private readonly IPodDirectory pods = Substitute.For<IPodDirectory>();
    private readonly List<KubeletAccess> asked = [];
    private readonly string directory = Directory.CreateTempSubdirectory("podhost-kubelet-server-").FullName;
    private readonly int readOnlyPort = Podhost.Tests.Shared.Loopback.FreePort();
    private readonly int healthzPort = Podhost.Tests.Shared.Loopback.FreePort();
    private StreamingServer streaming = null!;
    private KubeletServer server = null!;
    private Func<KubeletAccess, bool> allow = _ => true;
    private Func<ExecRequest, string> execUrl;

    public KubeletServerTests() => execUrl = r => streaming.GetExec(r.ContainerId, [.. r.Cmd], r.Tty, r.Stdin, r.Stdout, r.Stderr);

    public async ValueTask InitializeAsync()
    {
        streaming = new StreamingServer(new EchoBackend(), new StreamingServerOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await streaming.StartAsync(CancellationToken.None);
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = "default", Uid = "u1" },
            Spec = new V1PodSpec { Containers = [new V1Container { Name = "app" }, new V1Container { Name = "slow" }] },
            Status = new V1PodStatus
            {
                ContainerStatuses = [new V1ContainerStatus { Name = "slow", State = new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "ContainerCreating" } } }],
            },
        };
        pods.List().Returns([pod]);
        pods.Find("default", "web").Returns(pod);
        pods.FindByUid("u1").Returns(pod);
        pods.FindSandbox("u1").Returns("s1");
        pods.FindContainer("u1", "app").Returns(new PodContainerInstance("c1", true, 1, Path.Combine(directory, "1.log")));
        pods.FindContainer("u1", "app", true).Returns(new PodContainerInstance("c0", false, 0, Path.Combine(directory, "0.log")));
        await File.WriteAllTextAsync(Path.Combine(directory, "1.log"), "2026-01-02T03:04:05.000000000Z stdout F new\n");
        await File.WriteAllTextAsync(Path.Combine(directory, "0.log"), "2026-01-02T03:04:05.000000000Z stdout F old\n");
        runtime.ExecAsync(null!, default).ReturnsForAnyArgs(c => new ExecResponse { Url = execUrl(c.Arg<ExecRequest>()) });
        server = new KubeletServer(
            new KubeletServerOptions
            {
                Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
                NodeName = "n1",
                ReadOnlyEndpoint = new IPEndPoint(IPAddress.Loopback, readOnlyPort),
                HealthzEndpoint = new IPEndPoint(IPAddress.Loopback, healthzPort),
                ClientAuthorities = [authority],
                Anonymous = true,
                Configuration = new JsonObject { ["kind"] = "KubeletConfiguration" },
            },
            new KubeletServerServices { Pods = pods, Runtime = runtime, Metrics = () => "extra 1\n" },
            (access, _) =>
            {
                lock (asked)
                {
                    asked.Add(access);
                }

                return Task.FromResult(allow(access));
            },
            (token, _) => Task.FromResult(token == "good" ? new KubeletUser("tina", ["readers"]) : null),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        await server.StartAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await streaming.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_client_certificate_names_user_and_groups()
    {
        using var certificate = Client(authority, "CN=kube-apiserver-kubelet-client, O=system:masters");
        Assert.Equal("ok", await GetAsync("/healthz", certificate));
        var access = Assert.Single(asked);
        Assert.Equal(("kube-apiserver-kubelet-client", "get", "healthz", "n1"), (access.User.Name, access.Verb, access.Subresource, access.NodeName));
        Assert.Equal(["system:masters", "system:authenticated"], access.User.Groups);
    }

    [Fact]
    public async Task The_ports_without_TLS_show_little_and_ask_nobody()
    {
        using var http = new HttpClient();
        Assert.Equal("ok", await http.GetStringAsync($"http://127.0.0.1:{readOnlyPort}/healthz", Deadline));
        Assert.Contains("\"web\"", await http.GetStringAsync($"http://127.0.0.1:{readOnlyPort}/pods", Deadline));
        Assert.Equal("ok", await http.GetStringAsync($"http://127.0.0.1:{healthzPort}/healthz", Deadline));
        using var head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"http://127.0.0.1:{healthzPort}/healthz"), Deadline);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        foreach (var (method, url, expected) in new[]
        {
            (HttpMethod.Get, $"{healthzPort}/pods", HttpStatusCode.NotFound), (HttpMethod.Post, $"{readOnlyPort}/pods", HttpStatusCode.MethodNotAllowed),
            (HttpMethod.Get, $"{readOnlyPort}/configz", HttpStatusCode.NotFound),
            (HttpMethod.Get, $"{readOnlyPort}/containerLogs/default/web/app", HttpStatusCode.NotFound),
            (HttpMethod.Post, $"{readOnlyPort}/run/default/web/app?cmd=id", HttpStatusCode.NotFound),
            (HttpMethod.Post, $"{readOnlyPort}/exec/default/web/app?command=id&output=1", HttpStatusCode.NotFound),
        })
        {
            using var answer = await http.SendAsync(new HttpRequestMessage(method, $"http://127.0.0.1:{url}"), Deadline);
            Assert.Equal((url, expected), (url, answer.StatusCode));
        }

        Assert.Empty(asked);
        await runtime.DidNotReceiveWithAnyArgs().ExecAsync(null!, default);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_unauthorized()
    {
        using var other = Authority("other-ca");
        using var certificate = Client(other, "CN=mallory, O=system:masters");
        Assert.Equal((HttpStatusCode.Unauthorized, "Unauthorized"), await SendAsync(HttpMethod.Get, "/pods", certificate));
        Assert.Empty(asked);
    }

    [Fact]
    public async Task Tokens_are_asked_about_and_nobody_is_anonymous()
    {
        await SendAsync(HttpMethod.Get, "/healthz", token: "good");
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, "/healthz", token: "bad")).Code);
        await SendAsync(HttpMethod.Get, "/healthz");
        Assert.Equal(["tina", "system:anonymous"], asked.Select(a => a.User.Name));
    }

    [Theory]
    [InlineData("/healthz", 200)]
    [InlineData("/pods", 200)]
    [InlineData("/containerLogs/default/web/app", 404)]
    [InlineData("/configz", 404)]
    [InlineData("/exec/default/web/app?command=sh", 404)]
    public async Task The_port_for_reading_asks_nobody_and_serves_no_logs_and_no_sessions(string path, int code)
    {
        allow = _ => false;
        using var http = new HttpClient();
        using var answer = await http.GetAsync($"http://127.0.0.1:{server.ReadOnlyPort}{path}", Deadline);
        Assert.Equal(code, (int)answer.StatusCode);
        Assert.Empty(asked);
    }

    [Theory]
    [InlineData("GET", "/pods", "get pods, get proxy")]
    [InlineData("GET", "/stats/summary", "get stats")]
    [InlineData("GET", "/metrics/resource", "get metrics")]
    [InlineData("GET", "/containerLogs/default/web/app", "get proxy")]
    [InlineData("GET", "/exec/default/web/app?command=sh", "create proxy")]
    [InlineData("POST", "/run/default/web/app", "create proxy")]
    [InlineData("GET", "/logs/syslog", "get log")]
    public async Task Each_path_has_its_permission(string method, string path, string permissions)
    {
        allow = _ => false;
        var (code, text) = await SendAsync(new HttpMethod(method), path);
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.StartsWith("Forbidden (user=system:anonymous, verb=", text);
        Assert.Equal(permissions, string.Join(", ", asked.Select(a => $"{a.Verb} {a.Subresource}")));
    }

    [Theory]
    [InlineData("/containerLogs/default/web/app", 200, "new\n")]
    [InlineData("/containerLogs/default/web/app?previous=true", 200, "old\n")]
    [InlineData("/containerLogs/default/web/app?timestamps=true&tailLines=1", 200, "2026-01-02T03:04:05.000000000Z new\n")]
    [InlineData("/containerLogs/default/web/slow", 400, "container \"slow\" in pod \"web\" is waiting to start: ContainerCreating")]
    [InlineData("/containerLogs/default/web/slow?previous=true", 400, "previous terminated container \"slow\" in pod \"web\" not found")]
    [InlineData("/containerLogs/default/web/none", 404, "container \"none\" not found in pod \"web\"")]
    [InlineData("/containerLogs/default/none/app", 404, "pod does not exist")]
    [InlineData("/containerLogs/default/web/app?tailLines=-1", 400, "tailLines: Invalid value: \"-1\": must be a number of at least 0")]
    [InlineData("/exec/default/web/app?command=sh&output=1", 400, "Upgrade request required")]
    [InlineData("/exec/default/web/app?command=sh", 400, "you must specify at least 1 of stdin, stdout, stderr")]
    [InlineData("/exec/default/web/app?output=1", 400, "you must specify a command")]
    [InlineData("/exec/default/web/slow?command=sh&output=1", 404, "container not found (\"slow\")")]
    [InlineData("/logs/", 404, "/logs is not served: files of the node are not for this API\n")]
    [InlineData("/metrics/cadvisor", 501, "/metrics/cadvisor is not served without cgroups\n")]
    [InlineData("/nothing", 404, "404 page not found\n")]
    public async Task Answers(string path, int code, string text) =>
        Assert.Equal(((HttpStatusCode)code, text), await SendAsync(HttpMethod.Get, path));

    [Fact]
    public async Task Pods_and_configuration_are_shown()
    {
        var list = JsonNode.Parse(await GetAsync("/pods"))!;
        Assert.Equal("PodList", (string?)list["kind"]);
        Assert.Equal("web", (string?)list["items"]![0]!["metadata"]!["name"]);
        Assert.Equal("KubeletConfiguration", (string?)JsonNode.Parse(await GetAsync("/configz"))!["kubeletconfig"]!["kind"]);
    }

    [Fact]
    public async Task Running_pods_come_from_the_runtime()
    {
        var container = new Container { Id = "c1", State = ContainerState.ContainerRunning, Image = new ImageSpec { Image = "img" } };
        container.Labels["io.kubernetes.pod.uid"] = "u1";
        container.Labels["io.kubernetes.pod.name"] = "web";
        container.Labels["io.kubernetes.pod.namespace"] = "default";
        container.Labels["io.kubernetes.container.name"] = "app";
        runtime.ListContainersAsync(null!, default).ReturnsForAnyArgs(new ListContainersResponse { Containers = { container } });
        var pod = JsonNode.Parse(await GetAsync("/runningpods/"))!["items"]![0]!;
        Assert.Equal(("web", "app"), ((string?)pod["metadata"]!["name"], (string?)pod["spec"]!["containers"]![0]!["name"]));
    }

    [Fact]
    public async Task Run_gives_the_output()
    {
        runtime.ExecSyncAsync(null!, default).ReturnsForAnyArgs(new ExecSyncResponse { Stdout = ByteString.CopyFromUtf8("hello") });
        Assert.Equal((HttpStatusCode.OK, "hello"), await SendAsync(HttpMethod.Post, "/run/default/web/u1/app?cmd=echo%20hello"));
        await runtime.Received().ExecSyncAsync(Arg.Is<ExecSyncRequest>(r => r.ContainerId == "c1" && r.Cmd.SequenceEqual(new[] { "echo", "hello" })), Arg.Any<CancellationToken>());
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await SendAsync(HttpMethod.Get, "/run/default/web/app?cmd=x")).Code);
    }

    [Fact]
    public async Task Exec_is_tunnelled_to_the_runtime()
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("v5.channel.k8s.io");
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{server.Port}/exec/default/web/app?command=echo&command=hi&output=1"), Deadline);
        var text = new StringBuilder();
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), Deadline) is { MessageType: not WebSocketMessageType.Close } part)
        {
            text.Append(buffer[0]).Append(':').Append(Encoding.UTF8.GetString(buffer, 1, part.Count - 1)).Append(' ');
        }

        Assert.Equal("1: 1:c1 echo hi 3:{\"metadata\":{},\"status\":\"Success\"} ", text.ToString());
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", Deadline);
    }

    [Theory]
    [InlineData("binary.k8s.io", "new\n")]
    [InlineData("base64.binary.k8s.io", "bmV3Cg==")] // one message a line
    public async Task Logs_come_over_a_web_socket_too(string protocol, string expected)
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{server.Port}/containerLogs/default/web/app"), Deadline);
        Assert.Equal(protocol, socket.SubProtocol);
        var text = new StringBuilder();
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), Deadline) is { MessageType: not WebSocketMessageType.Close } part)
        {
            text.Append(Encoding.UTF8.GetString(buffer, 0, part.Count));
        }

        Assert.Equal(expected, text.ToString());
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", Deadline);
    }

    [Fact]
    public async Task The_runtimes_refusal_reaches_the_client()
    {
        execUrl = _ => throw new RpcException(new Grpc.Core.Status(StatusCode.NotFound, "no such container c1"));
        var request = new HttpRequestMessage(HttpMethod.Post, Url("/exec/default/web/app?command=x&output=1"));
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.ParseAdd("SPDY/3.1");
        Assert.Equal((HttpStatusCode.NotFound, "no such container c1"), await SendAsync(request, null));
    }

    [Fact]
    public async Task Statistics_and_metrics_are_shown()
    {
        GiveStatistics();
        var summary = JsonNode.Parse(await GetAsync("/stats/summary"))!;
        Assert.Equal("n1", (string?)summary["node"]!["nodeName"]);
        Assert.True((long)summary["node"]!["memory"]!["workingSetBytes"]! > 0);
        var pod = summary["pods"]![0]!;
        Assert.Equal("web", (string?)pod["podRef"]!["name"]);
        Assert.Equal(2_000_000_000, (long)pod["cpu"]!["usageCoreNanoSeconds"]!);
        Assert.Equal(4096, (long)pod["containers"]![0]!["memory"]!["workingSetBytes"]!);

        var resource = await GetAsync("/metrics/resource");
        Assert.Contains("container_cpu_usage_seconds_total{container=\"app\",namespace=\"default\",pod=\"web\"} 2 1767323045000\n", resource);
        Assert.Contains("pod_memory_working_set_bytes{namespace=\"default\",pod=\"web\"} 4096 ", resource);
        var metrics = await GetAsync("/metrics");
        Assert.Contains("kubelet_running_pods 1\n", metrics);
        Assert.Contains("kubelet_node_name{node=\"n1\"} 1\n", metrics);
        Assert.EndsWith("extra 1\n", metrics);
        Assert.Contains("# TYPE prober_probe_total counter", await GetAsync("/metrics/probes"));
    }

    private void GiveStatistics()
    {
        const long At = 1767323045_000_000_000; // 2026-01-02T03:04:05Z
        var stats = new ContainerStats
        {
            Attributes = new ContainerAttributes { Id = "c1", Metadata = new ContainerMetadata { Name = "app" } },
            Cpu = new CpuUsage { Timestamp = At, UsageCoreNanoSeconds = new UInt64Value { Value = 2_000_000_000 } },
            Memory = new MemoryUsage { Timestamp = At, WorkingSetBytes = new UInt64Value { Value = 4096 } },
        };
        stats.Attributes.Labels["io.kubernetes.pod.uid"] = "u1";
        stats.Attributes.Labels["io.kubernetes.pod.name"] = "web";
        stats.Attributes.Labels["io.kubernetes.pod.namespace"] = "default";
        runtime.ListContainerStatsAsync(null!, default).ReturnsForAnyArgs(new ListContainerStatsResponse { Stats = { stats } });
        runtime.ListPodSandboxStatsAsync(null!, default).ReturnsForAnyArgs<ListPodSandboxStatsResponse>(
            _ => throw new RpcException(new Grpc.Core.Status(StatusCode.Unimplemented, "older runtime")));
    }

    private Uri Url(string path) => new($"https://127.0.0.1:{server.Port}{path}");

    private async Task<string> GetAsync(string path, X509Certificate2? certificate = null)
    {
        var (code, text) = await SendAsync(HttpMethod.Get, path, certificate);
        Assert.Equal(HttpStatusCode.OK, code);
        return text;
    }

    private Task<(HttpStatusCode Code, string Text)> SendAsync(HttpMethod method, string path, X509Certificate2? certificate = null, string? token = null)
    {
        var request = new HttpRequestMessage(method, Url(path));
        if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token);
        }

        return SendAsync(request, certificate);
    }

    private static async Task<(HttpStatusCode Code, string Text)> SendAsync(HttpRequestMessage request, X509Certificate2? certificate)
    {
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
                ClientCertificates = certificate is null ? null : [certificate],
                LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
            },
        };
        using var client = new HttpClient(handler);
        using var response = await client.SendAsync(request, Deadline);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Deadline));
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private static X509Certificate2 Client(X509Certificate2 authority, string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, [1, 2, 3]);
        using var withKey = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    private sealed class EchoBackend : IStreamingBackend
    {
        public async Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, bool tty, SessionStreams streams, CancellationToken cancellationToken)
        {
            await streams.Stdout!.WriteAsync(Encoding.UTF8.GetBytes($"{containerId} {string.Join(' ', command)}"), cancellationToken);
            return 0;
        }

        public Task AttachAsync(string containerId, bool tty, SessionStreams streams, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task PortForwardAsync(string sandboxId, int port, Stream stream, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

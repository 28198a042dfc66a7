using System.Net;
using System.Net.Sockets;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Services;

/// <summary>Addresses of IPv6, beside those of IPv4 and alone, on instances of their own.</summary>
public sealed class DualStackTests(ClusterFixture cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Pods_services_names_and_ports_of_both_families_work_and_outlive_podhost()
    {
        Skip();
        await using var instance = await Instance.StartIPv6Async(withIPv4: true);
        await ClusterFixture.LoadImagesAsync(instance);
        var k = instance.Kubectl;
        var hostPort = 20000 + instance.Number;
        await k.ApplyAsync(Web("web", $"hostPort: {hostPort}") + Service("web", "ipFamilyPolicy: RequireDualStack, type: NodePort") + Service("heads", "ipFamilyPolicy: PreferDualStack, clusterIP: None") + Web("client"));
        await k.ReadyAsync("web");
        await k.ReadyAsync("client");

        var (pod, node) = (await PairAsync(k, "pod web", ".status.podIPs[*].ip"), await PairAsync(k, "pod web", ".status.hostIPs[*].ip"));
        Assert.Equal(pod.Four, await k.FieldAsync("web", ".status.podIP"));
        Assert.Equal(node, await PairAsync(k, $"node {instance.Node}", ".status.addresses[?(@.type==\"InternalIP\")].address"));
        Assert.Equal($"{pod.Four},{pod.Six} {node.Four},{node.Six}", (await k.ShAsync("web", "echo $POD_IPS $HOST_IPS")).Trim());
        Assert.Equal(2, (await k.ShAsync("web", "cat /etc/hosts")).Split('\n').Count(l => l.EndsWith("\tweb", StringComparison.Ordinal)));
        var service = await PairAsync(k, "service web", ".spec.clusterIPs[*]");
        var nodePort = await k.OkAsync("get service web -o", "jsonpath={.spec.ports[0].nodePort}");
        Assert.Equal(["IPv4", "IPv6"], (await k.OkAsync("get endpointslices -l kubernetes.io/service-name=web -o", "jsonpath={.items[*].addressType}")).Split(' ').Order());
        Assert.Equal(pod.Four, await k.OkAsync("get endpoints web -o", "jsonpath={.subsets[*].addresses[*].ip}"));

        // Pod to pod, the Service and the ports of the node: from another pod, from itself, and from the node.
        string[] urls = [$"[{pod.Six}]:8080", $"[{service.Six}]", service.Four, $"[{node.Six}]:{nodePort}", $"[{node.Six}]:{hostPort}", $"{node.Four}:{hostPort}"];
        foreach (var url in urls)
        {
            Assert.Equal("web", await FromPodAsync(k, "client", url));
            Assert.Equal("web", await FromPodAsync(k, "web", url));
            Assert.Equal("web", await FromHostAsync(url));
        }

        Assert.Contains(service.Six, await LookUpAsync(k, "aaaa", "web.default.svc.cluster.local"), StringComparison.Ordinal);
        Assert.Contains(pod.Six, await LookUpAsync(k, "aaaa", "web.heads.default.svc.cluster.local"), StringComparison.Ordinal);
        Assert.Contains("name = web.default.svc.cluster.local", await LookUpAsync(k, "", service.Six), StringComparison.Ordinal);
        Assert.Contains("name = web.heads.default.svc.cluster.local", await LookUpAsync(k, "", pod.Six), StringComparison.Ordinal);

        // Killed while pods are made: they go on, those that were not done are made, and nobody has another's address.
        await k.ApplyAsync(string.Concat(Enumerable.Range(0, 6).Select(i => Web($"more-{i}"))));
        await instance.KillAsync();
        Assert.Equal("web", await FromHostAsync($"[{service.Six}]"));
        await instance.UpAsync();
        for (var i = 0; i < 6; i++)
        {
            await k.ReadyAsync($"more-{i}");
        }

        Assert.Equal(pod, await PairAsync(k, "pod web", ".status.podIPs[*].ip"));
        var all = (await k.OkAsync("get pods -o", "jsonpath={.items[*].status.podIPs[*].ip}")).Split(' ');
        Assert.Equal(16, all.Length);
        Assert.Equal(16, all.Distinct().Count());
        Assert.Equal("web", await FromPodAsync(k, "more-5", $"[{service.Six}]"));

        // Nothing behind it: refused at once, in both families.
        await k.OkAsync("delete pod web");
        Assert.Equal((SocketError.ConnectionRefused, SocketError.ConnectionRefused), (await RefusedAsync(service.Six), await RefusedAsync(service.Four)));
    }

    [Fact]
    public async Task Pods_and_services_of_IPv6_alone_work()
    {
        Skip();
        await using var instance = await Instance.StartIPv6Async(withIPv4: false);
        await ClusterFixture.LoadImagesAsync(instance);
        var k = instance.Kubectl;
        await k.ApplyAsync(Web("web") + Service("web", "type: ClusterIP") + Web("client"));
        await k.ReadyAsync("web");
        await k.ReadyAsync("client");
        var address = await k.FieldAsync("web", ".status.podIPs[*].ip");
        Assert.Equal(AddressFamily.InterNetworkV6, IPAddress.Parse(address).AddressFamily);
        Assert.Equal("SingleStack IPv6", await k.OkAsync("get service web -o", "jsonpath={.spec.ipFamilyPolicy} {.spec.ipFamilies[*]}"));
        Assert.Equal("web", await FromPodAsync(k, "client", "web"));
        Assert.Equal("web", await FromHostAsync($"[{address}]:8080"));

        // The API server, as pods find it.
        Assert.Contains(":", await k.ShAsync("client", "echo $KUBERNETES_SERVICE_HOST"), StringComparison.Ordinal);
        await k.ShAsync("client", "nc -w 5 $KUBERNETES_SERVICE_HOST 443 < /dev/null");
        Assert.Equal("web", (await k.ShAsync("web", "cat /w/index.html")).Trim());
    }

    private void Skip()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        Assert.SkipWhen(Instance.OnContainerd, "the network of the tests' containerd is of IPv4");
        Assert.SkipUnless(Socket.OSSupportsIPv6, "needs IPv6");
    }

    private static string Web(string name, string portMore = "name: http") => $$$$"""
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: {{{{name}}}}, labels: {app: {{{{name}}}}}}
        spec:
          terminationGracePeriodSeconds: 0
          hostname: {{{{name}}}}
          subdomain: heads
          containers:
          - name: main
            image: busybox:stable
            ports: [{containerPort: 8080, {{{{portMore}}}}}]
            command: [sh, -c, "mkdir /w; hostname > /w/index.html; exec httpd -f -p [::]:8080 -h /w"]
            readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
            env:
            - {name: POD_IPS, valueFrom: {fieldRef: {fieldPath: status.podIPs}}}
            - {name: HOST_IPS, valueFrom: {fieldRef: {fieldPath: status.hostIPs}}}

        """;

    private static string Service(string name, string more) => $$$$"""
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: {{{{name}}}}}
        spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}], {{{{more}}}}}

        """;

    private static async Task<(string Four, string Six)> PairAsync(Kubectl k, string what, string path)
    {
        var found = (await k.OkAsync($"get {what} -o", $"jsonpath={{{path}}}")).Split(' ');
        Assert.Equal(2, found.Length);
        Assert.Equal((AddressFamily.InterNetwork, AddressFamily.InterNetworkV6), (IPAddress.Parse(found[0]).AddressFamily, IPAddress.Parse(found[1]).AddressFamily));
        return (found[0], found[1]);
    }

    // Rules follow endpoints at once, but nothing tells a client when.
    private static async Task<string> FromPodAsync(Kubectl k, string pod, string url) =>
        (await k.ShAsync(pod, $"until wget -q -O - http://{url}/; do sleep 0.1; done")).Trim();

    private static async Task<string> FromHostAsync(string url)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
        for (var start = TimeProvider.System.GetTimestamp(); ;)
        {
            try
            {
                return (await http.GetStringAsync(new Uri($"http://{url}/"))).Trim();
            }
            catch (HttpRequestException) when (TimeProvider.System.GetElapsedTime(start) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }

    private static async Task<SocketError> RefusedAsync(string address)
    {
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < Patience;)
        {
            using var client = new TcpClient(IPAddress.Parse(address).AddressFamily);
            try
            {
                await client.ConnectAsync(address, 80);
            }
            catch (SocketException failure)
            {
                return failure.SocketErrorCode;
            }
        }

        return SocketError.Success;
    }

    // Without a type an address is asked for its name.
    private static async Task<string> LookUpAsync(Kubectl k, string type, string name) =>
        (await k.RunAsync(["exec", "client", "--", "nslookup", .. type.Length > 0 ? (string[])[$"-type={type}"] : [], name], null)).Out;
}

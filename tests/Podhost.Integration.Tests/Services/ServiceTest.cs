using System.Net;
using System.Net.Sockets;
using System.Text;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Services;

/// <summary>Tests of Services: web pods that say who they are and who asked, and clients in pods and on the host.</summary>
public abstract class ServiceTest(ClusterFixture cluster) : ClusterTest(cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A pod whose page on a port is its name, and whose /cgi-bin/ip is its client's address. It is ready once /ready is there.</summary>
    protected static string WebPod(string name, string app, int port = 8080, bool ready = true, string podMore = "", string containerMore = "", bool deaf = false) => $$$"""
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: {{{name}}}, labels: {app: {{{app}}}}}
        spec:
          {{{(podMore.Length > 0 ? podMore : "terminationGracePeriodSeconds: 1")}}}
          containers:
          - name: main
            image: busybox:stable
            ports: [{name: http, containerPort: {{{port}}}}]
            command:
            - sh
            - -c
            - |
              {{{(deaf ? "trap '' TERM" : "")}}}
              mkdir -p /w/cgi-bin; hostname > /w/index.html
              printf '#!/bin/sh\necho; echo $REMOTE_ADDR\n' > /w/cgi-bin/ip; chmod +x /w/cgi-bin/ip
              httpd -p {{{port}}} -h /w; {{{(ready ? "touch /ready;" : "")}}} while true; do sleep 1; done
            readinessProbe: {exec: {command: [test, -f, /ready]}, periodSeconds: 1, failureThreshold: 1}
            {{{containerMore}}}
        """;

    /// <summary>A Service of the pods of an app.</summary>
    protected static string Service(string name, string app, string more = "", string ports = "{port: 80, targetPort: http}") => $$"""
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: {{name}}}
        spec:
          selector: {app: {{app}}}
          ports: [{{ports}}]
          {{more}}
        """;

    /// <summary>An address that is nobody's, for external IPs; other instances have others.</summary>
    protected string Unused(int last) => $"100.{64 + (Cluster.Number / 250)}.{Cluster.Number % 250}.{last}";

    /// <summary>A pod to call from.</summary>
    protected async Task ClientAsync(string name = "client")
    {
        await K.ApplyAsync(ShellPod(name, "sleep 3600"));
        await K.ReadyAsync(name);
    }

    /// <summary>A Service's cluster IP.</summary>
    protected Task<string> AddressAsync(string service) => K.OkAsync($"get service {service} -o", "jsonpath={.spec.clusterIP}");

    /// <summary>A page, fetched in a pod; null where it cannot be had.</summary>
    protected async Task<string?> FromPodAsync(string pod, string url)
    {
        var ran = await K.RunAsync(["exec", pod, "--", "wget", "-q", "-O-", $"http://{url}"], null);
        return ran.Code == 0 ? ran.Out.Trim().Replace("[::ffff:", "", StringComparison.Ordinal).Trim(']') : null;
    }

    /// <summary>A page, fetched by the node itself; null where it cannot be had.</summary>
    protected static async Task<string?> FromHostAsync(string url)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            return (await http.GetStringAsync(new Uri($"http://{url}"))).Trim().Replace("[::ffff:", "", StringComparison.Ordinal).Trim(']');
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>Asks until the answers are these and no others: rules follow endpoints at once, but nothing tells a client when.</summary>
    protected static async Task AnswersAsync(Func<Task<string?>> ask, params string[] wanted)
    {
        var seen = new List<string>();
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < Patience;)
        {
            var answer = await ask() ?? "(none)";
            seen.Add(answer);
            var latest = seen.TakeLast(wanted.Length == 1 ? 3 : 20 * wanted.Length).ToList();
            if (latest.Count > wanted.Length && wanted.All(latest.Contains) && (wanted.Length > 1 ? latest.Skip(latest.Count / 2) : latest).All(wanted.Contains))
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        Assert.Fail($"wanted {string.Join(", ", wanted)}; the last answers were {string.Join(", ", seen.TakeLast(20))}\n{await TablesAsync()}");
    }

    /// <summary>Sends a datagram and returns the answer; null for silence, "refused" for a rejection.</summary>
    protected static async Task<string?> AskUdpAsync(UdpClient client, string address, int port)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            await client.SendAsync("?\n"u8.ToArray(), new IPEndPoint(IPAddress.Parse(address), port), stop.Token);
            return Encoding.UTF8.GetString((await client.ReceiveAsync(stop.Token)).Buffer).Trim();
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return "refused";
        }
    }

    private static async Task<string> TablesAsync() => (await Shell.RunAsync("nft", ["list", "ruleset"])).Out;
}

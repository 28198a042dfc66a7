using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using k8s.Models;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Probes;

// What 200 containers with three probes each at a period of one second cost: the processor time of this process, which does nothing but probe.
// The servers that are probed run in a child process.
if (args is ["serve"])
{
    await Target.ServeAsync();
    return;
}

const int Containers = 200;
var seconds = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 20;
using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? [Environment.GetCommandLineArgs()[0], "serve"] : ["serve"])
{
    RedirectStandardOutput = true,
})!;
var port = int.Parse((await child.StandardOutput.ReadLineAsync())!, System.Globalization.CultureInfo.InvariantCulture);
foreach (var kind in new[] { "tcp", "http" })
{
    var manager = new ProbeManager(null!, new NoEvents(), _ => { }, new ProbeManagerOptions { RestartedAt = TimeProvider.System.GetUtcNow() }, TimeProvider.System, new Random(1));
    for (var i = 0; i < Containers; i++)
    {
        manager.Sync("pod" + i, Targets(i, kind, port));
    }

    await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, CancellationToken.None); // warm
    var before = (Process.GetCurrentProcess().TotalProcessorTime, Count(manager), Stopwatch.GetTimestamp());
    await Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, CancellationToken.None);
    var cpu = Process.GetCurrentProcess().TotalProcessorTime - before.TotalProcessorTime;
    var wall = Stopwatch.GetElapsedTime(before.Item3);
    var (good, bad) = Count(manager);
    Console.WriteLine($"{kind}: {(good - before.Item2.Good) / wall.TotalSeconds:F0} probes/s, {bad} failed, {cpu / wall * 100:F1} % of a core, {cpu.TotalMicroseconds / Math.Max(1, good - before.Item2.Good):F0} µs a probe");
    await manager.DisposeAsync();
}

child.Kill();

static (long Good, long Bad) Count(ProbeManager manager)
{
    var counts = manager.Counts();
    return (counts.Sum(c => c.Successful), counts.Sum(c => c.Failed + c.Unknown));
}

static List<ProbeTarget> Targets(int i, string kind, int port)
{
    V1Probe Probe() => kind == "tcp"
        ? new V1Probe { PeriodSeconds = 1, SuccessThreshold = 1_000_000_000, TcpSocket = new V1TCPSocketAction { Port = port } }
        : new V1Probe { PeriodSeconds = 1, SuccessThreshold = 1_000_000_000, HttpGet = new V1HTTPGetAction { Port = port, Path = "/healthz" } };

    // The threshold keeps the startup probe probing.
    var container = new V1Container { Name = "c", LivenessProbe = Probe(), ReadinessProbe = Probe(), StartupProbe = Probe() };
    var pod = new V1Pod { Metadata = new V1ObjectMeta { Name = "p" + i, NamespaceProperty = "default", Uid = "pod" + i } };
    var started = TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(1);
    return [.. Enum.GetValues<ProbeKind>().Select(k => new ProbeTarget(pod, container, k, "id" + i, "127.0.0.1", started))];
}

internal sealed class NoEvents : IEventRecorder
{
    public void Record(V1ObjectReference about, string type, string reason, string message, IReadOnlyDictionary<string, string>? annotations = null)
    {
    }
}

internal static class Target
{
    public static async Task ServeAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(1000);
        Console.WriteLine(((IPEndPoint)listener.LocalEndpoint).Port);
        while (true)
        {
            var socket = await listener.AcceptSocketAsync();
            _ = AnswerAsync(socket);
        }
    }

    private static async Task AnswerAsync(Socket socket)
    {
        using (socket)
        {
            var buffer = new byte[4096];
            try
            {
                if (await socket.ReceiveAsync(buffer) > 0)
                {
                    await socket.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"u8.ToArray());
                    socket.Shutdown(SocketShutdown.Send);
                }
            }
            catch (SocketException)
            {
                // A probe that went.
            }
        }
    }
}

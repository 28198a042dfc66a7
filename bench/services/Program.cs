using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Podhost.Bench.Pods;
using Podhost.Bench.Services;

// usage: dotnet run -c Release --project bench/services [EXECUTABLE]
const int Rounds = 10;
const int Many = 1000;

var repository = FindRepository();
var executable = args.Length > 0 ? Path.GetFullPath(args[0]) : Path.Combine(repository, "out/native/podhost");
var directory = Directory.CreateTempSubdirectory("podhost-bench-").FullName;
var table = new Table();
try
{
    await MeasureAsync();
}
catch (BenchException failure)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return 1;
}
finally
{
    Directory.Delete(directory, recursive: true);
}

table.Print($"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC, {executable}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}");
return 0;

async Task MeasureAsync()
{
    var archive = Path.Combine(directory, "image.tar");
    await Command.RunAsync(Path.Combine(repository, "examples/images/simple-container-app/build.sh"), archive, SamplePod.Image);
    await using var instance = new Instance(executable, directory);
    await instance.StartAsync();
    await instance.LoadImageAsync(archive);
    using var api = new ApiConnection(instance.Kubeconfig);
    using var gate = new ReadinessSwitch();
    await using var watch = new PodWatch(api);
    await api.CreateAsync(ApiConnection.Pods, Pod("flips", "web", $$""","readinessProbe":{"httpGet":{"host":"127.0.0.1","port":{{gate.Port}}},"periodSeconds":1,"failureThreshold":1}"""));
    await api.CreateAsync(ApiConnection.Pods, Pod("stays", "web", ""));
    await api.CreateAsync(ApiConnection.Pods, Pod("other", "other", ""));
    await ServeAsync("web", "10.222.0.80", "web");
    try
    {
        await UntilAsync("10.222.0.80", answer => answer == "flips");
        await FlipAsync(gate, "1 Service");
        var created = await CreateManyAsync();
        table.Add($"{Many} Services created, one after another, until the last one serves", Table.Number($"{created.TotalSeconds:F1} s"));
        var added = new Samples();
        for (var i = 0; i < Rounds; i++)
        {
            var address = $"10.222.1.{i + 1}";
            await added.MeasureAsync(async () =>
            {
                await ServeAsync($"new{i}", address, "other");
                await UntilAsync(address, answer => answer is not null);
            });
        }

        table.Add($"one more Service created until it serves, {Many} there", $"{added}");
        await FlipAsync(gate, $"{Many} Services");
        table.Add($"RSS of the whole engine, {Many} Services", Table.Number($"{Memory.RssMegabytes(instance.Pid):F0} MB"));
    }
    finally
    {
        foreach (var pod in new[] { "flips", "stays", "other" })
        {
            await api.DeleteAsync($"{ApiConnection.Pods}/{pod}?gracePeriodSeconds=1");
            await watch.SeesAsync(pod, Milestone.Gone);
        }
    }

    // An explicit address, so that nothing has to be looked up.
    Task ServeAsync(string name, string address, string app) => api.CreateAsync(
        "/api/v1/namespaces/default/services",
        $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"clusterIP":"{{{address}}}","selector":{"app":"{{{app}}}"},"ports":[{"port":80,"targetPort":8080}]}}""");

    async Task<TimeSpan> CreateManyAsync()
    {
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Many; i++)
        {
            await ServeAsync($"many{i}", $"10.222.{16 + (i / 200)}.{1 + (i % 200)}", "other");
        }

        await UntilAsync($"10.222.{16 + ((Many - 1) / 200)}.{1 + ((Many - 1) % 200)}", answer => answer is not null);
        return Stopwatch.GetElapsedTime(started);
    }
}

// From the answer that the probe got to the last request that the pod got, and to the first one again.
async Task FlipAsync(ReadinessSwitch gate, string among)
{
    var (stops, starts) = (new Samples(), new Samples());
    for (var i = 0; i < Rounds; i++)
    {
        var failed = gate.SetAsync(ready: false);
        var (last, others) = (0L, 0);
        while (!failed.IsCompleted || others < 200)
        {
            var hit = await AskAsync("10.222.0.80") == "flips";
            (last, others) = hit ? (Stopwatch.GetTimestamp(), 0) : (last, others + 1);
        }

        stops.Add(last > await failed ? Stopwatch.GetElapsedTime(await failed, last) : TimeSpan.Zero);
        var passed = await gate.SetAsync(ready: true);
        await UntilAsync("10.222.0.80", answer => answer == "flips");
        starts.Add(Stopwatch.GetElapsedTime(passed));
    }

    table.Add($"probe fails → last request to the pod, {among}", $"{stops}", "≤ 100 ms");
    table.Add($"probe succeeds → first request to the pod, {among}", $"{starts}", "≤ 100 ms");
}

static async Task UntilAsync(string address, Func<string?, bool> wanted)
{
    for (var started = Stopwatch.GetTimestamp(); !wanted(await AskAsync(address));)
    {
        if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(60))
        {
            throw new BenchException($"{address} does not come to serve as it should");
        }
    }
}

// Which pod answers; null: none.
static async Task<string?> AskAsync(string address)
{
    using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
    try
    {
        await socket.ConnectAsync(IPAddress.Parse(address), 80, patience.Token);
        await socket.SendAsync("GET /name HTTP/1.0\r\n\r\n"u8.ToArray(), patience.Token);
        var text = new StringBuilder();
        var buffer = new byte[4096];
        for (int count; (count = await socket.ReceiveAsync(buffer, patience.Token)) > 0;)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString().Split("\r\n\r\n")[^1].Trim();
    }
    catch (Exception failure) when (failure is SocketException or OperationCanceledException)
    {
        return null;
    }
}

static string Pod(string name, string app, string probe) => $$$"""
    {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","labels":{"app":"{{{app}}}"}},"spec":{"automountServiceAccountToken":false,"containers":[
    {"name":"app","image":"{{{SamplePod.Image}}}","imagePullPolicy":"IfNotPresent","command":["/bin/sh","-c","hostname > /www/name; exec httpd -f -p 8080 -h /www"]{{{probe}}} } ] } }
    """;

static string FindRepository()
{
    for (var path = AppContext.BaseDirectory; path is not null; path = Path.GetDirectoryName(path))
    {
        if (File.Exists(Path.Combine(path, "Podhost.slnx")))
        {
            return path;
        }
    }

    throw new BenchException("run it from within the repository");
}

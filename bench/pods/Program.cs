using System.Runtime.InteropServices;
using Podhost.Bench.Pods;

// usage: dotnet run -c Release --project bench/pods [EXECUTABLE]
const int OneByOne = 20;
const int AtOnce = 50;
const int PodmanRounds = 5;

var repository = FindRepository();
var executable = args.Length > 0 ? Path.GetFullPath(args[0]) : FindExecutable(repository);
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

table.Print($"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC, {executable} ({(executable.EndsWith(".dll", StringComparison.Ordinal) ? "JIT" : "native")}), "
    + $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}");
return 0;

async Task MeasureAsync()
{
    var archive = Path.Combine(directory, "image.tar");
    await Command.RunAsync(Path.Combine(repository, "examples/images/simple-container-app/build.sh"), archive, SamplePod.Image);
    await using var instance = new Instance(executable, directory);
    Progress("cold start");
    var first = await instance.StartAsync();
    await instance.StopAsync();
    var again = await instance.StartAsync();
    table.Add("command → node Ready, first start (certificates made)", Table.Number($"{first.TotalSeconds:F2} s"), "≤ 1 s");
    table.Add("command → node Ready, later start", Table.Number($"{again.TotalSeconds:F2} s"), "≤ 1 s");
    await instance.LoadImageAsync(archive);
    await MeasurePodsAsync(instance);
    await MeasureOthersAsync(instance, archive);
}

async Task MeasurePodsAsync(Instance instance)
{
    using var api = new ApiConnection(instance.Kubeconfig);
    await using var watch = new PodWatch(api);
    var rounds = new PodRounds(api, watch);
    await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
    var idle = Memory.RssMegabytes(instance.Pid);
    Progress($"{OneByOne} pods, one after another");
    await rounds.OneByOneAsync(OneByOne);
    table.Add("create → Running seen by a watch", $"{rounds.Creation}", "≤ 1.5 × the floor");
    table.Add("delete → gone (the container ends at once)", $"{rounds.Deletion}", "≤ 150 ms");
    Progress($"{AtOnce} pods at once");
    var ready = await rounds.AtOnceAsync(AtOnce);
    table.Add($"{AtOnce} pods at once until all are Ready", Table.Number($"{ready.TotalSeconds:F2} s, {AtOnce / ready.TotalSeconds:F1} pods/s"), "≥ 10 pods/s");
    await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
    var (helpers, processes) = Memory.PssOfHelpers(Path.GetDirectoryName(instance.LogFile)!);
    var full = Memory.RssMegabytes(instance.Pid);
    table.Add("RSS of the whole engine, idle", Table.Number($"{idle:F0} MB"), "≤ 80 MB");
    table.Add($"RSS of the whole engine, {AtOnce} pods", Table.Number($"{full:F0} MB"));
    table.Add("PSS per pod beside the workload", Table.Number($"{helpers / AtOnce:F2} MB ({(double)processes / AtOnce:F1} processes)"), "≤ 2 MB");
    var gone = await rounds.DeleteAllAsync(AtOnce);
    table.Add($"{AtOnce} pods deleted at once until all are gone", Table.Number($"{gone.TotalSeconds:F2} s"));
}

async Task MeasureOthersAsync(Instance instance, string archive)
{
    // The runtime that podhost chose, in the same run.
    var runtime = await instance.RuntimeAsync();
    Progress($"{runtime} alone");
    var rootfs = Path.Combine(directory, "rootfs");
    Directory.CreateDirectory(rootfs);
    await Command.RunAsync("/bin/sh", "-c", "tar -xOf \"$0\" layer.tar | tar -x -C \"$1\"", archive, rootfs);
    var floor = await new RuntimeFloor(runtime, rootfs, Path.Combine(directory, "floor")).MeasureAsync(OneByOne);
    table.Add($"floor: {runtime} alone, create and start of infra and app", $"{floor}");
    Progress("podman kube play");
    try
    {
        table.Add("podman kube play of an equal pod", $"{await new PodmanPods(runtime, Path.Combine(directory, "podman")).MeasureAsync(archive, PodmanRounds)}");
    }
    catch (Exception failure) when (failure is BenchException or System.ComponentModel.Win32Exception)
    {
        table.Add("podman kube play of an equal pod", "skipped: " + failure.Message.Split('\n')[^1]);
    }
}

static void Progress(string text) => Console.Error.WriteLine($"… {text}");

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

static string FindExecutable(string repository) =>
    new[] { "out/native/podhost", "src/Podhost/bin/Release/net10.0/podhost.dll", "src/Podhost/bin/Debug/net10.0/podhost.dll" }
        .Select(path => Path.Combine(repository, path)).FirstOrDefault(File.Exists)
    ?? throw new BenchException("there is no executable: run ./publish");

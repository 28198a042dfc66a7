using System.Text.Json.Nodes;

namespace Podhost.Bench.Pods;

/// <summary>
/// What the OCI runtime alone needs for a pod: create and start of an infra container, then of an app container in its network namespace.
/// No monitor, no log, no network device, no API. Everything above it is the engine's.
/// </summary>
internal sealed class RuntimeFloor(string runtime, string rootfs, string directory)
{
    private string State => Path.Combine(directory, "state");

    internal async Task<Samples> MeasureAsync(int count)
    {
        var samples = new Samples();
        await RoundAsync("warm", new Samples());
        for (var i = 0; i < count; i++)
        {
            await RoundAsync($"{i}", samples);
        }

        return samples;
    }

    private async Task RoundAsync(string name, Samples samples)
    {
        var (infra, app) = ($"bench-infra-{name}", $"bench-app-{name}");
        var (infraBundle, appBundle) = (await BundleAsync(infra), await BundleAsync(app));
        try
        {
            await samples.MeasureAsync(async () =>
            {
                await StartAsync(infra, infraBundle);
                await JoinAsync(appBundle, await File.ReadAllTextAsync(Path.Combine(infraBundle, "pid")));
                await StartAsync(app, appBundle);
            });
        }
        finally
        {
            await Command.TryRunAsync(runtime, "--root", State, "delete", "--force", app);
            await Command.TryRunAsync(runtime, "--root", State, "delete", "--force", infra);
        }
    }

    private async Task StartAsync(string id, string bundle)
    {
        await Command.RunDetachedAsync(runtime, "--root", State, "create", "--bundle", bundle, "--pid-file", Path.Combine(bundle, "pid"), id);
        await Command.RunDetachedAsync(runtime, "--root", State, "start", id);
    }

    private async Task<string> BundleAsync(string id)
    {
        var bundle = Path.Combine(directory, id);
        Directory.CreateDirectory(bundle);
        await Command.RunAsync("/bin/sh", "-c", "cd \"$0\" && rm -f config.json && exec \"$1\" spec", bundle, runtime);
        var spec = await ReadAsync(bundle);
        spec["process"]!["terminal"] = false;
        spec["process"]!["args"] = new JsonArray([.. SamplePod.Command.Select(word => (JsonNode)word)]);
        spec["root"] = new JsonObject { ["path"] = rootfs };
        spec["linux"]!["cgroupsPath"] = $"{Instance.CgroupRoot}/floor/{id}";
        await WriteAsync(bundle, spec);
        return bundle;
    }

    private static async Task JoinAsync(string bundle, string pid)
    {
        var spec = await ReadAsync(bundle);
        foreach (var space in spec["linux"]!["namespaces"]!.AsArray().Where(space => (string?)space!["type"] is "network" or "ipc" or "uts"))
        {
            var file = (string)space!["type"]! == "network" ? "net" : (string)space["type"]!;
            space["path"] = $"/proc/{pid.Trim()}/ns/{file}";
        }

        spec.AsObject().Remove("hostname"); // The infra container has set it.
        await WriteAsync(bundle, spec);
    }

    private static async Task<JsonNode> ReadAsync(string bundle) => JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(bundle, "config.json")))!;

    private static Task WriteAsync(string bundle, JsonNode spec) => File.WriteAllTextAsync(Path.Combine(bundle, "config.json"), spec.ToJsonString());
}

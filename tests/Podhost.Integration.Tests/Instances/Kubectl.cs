using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Podhost.Integration.Tests.Instances;

/// <summary>Unmodified kubectl.</summary>
/// <param name="File">The executable.</param>
/// <param name="Kubeconfig">Whom it talks to, as whom.</param>
/// <param name="Namespace">Its namespace.</param>
public sealed record Kubectl(string File, string Kubeconfig, string Namespace = "default")
{
    private Dictionary<string, string> Environment => new() { ["KUBECONFIG"] = Kubeconfig, ["HOME"] = Path.GetDirectoryName(Kubeconfig)! };

    private string[] Prefix => ["-n", Namespace];

    /// <summary>The same in another namespace.</summary>
    public Kubectl In(string ns) => this with { Namespace = ns };

    /// <summary>Runs a command line; words are separated by blanks.</summary>
    public Task<Ran> RunAsync(string line, params string[] more) => RunAsync([.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries), .. more], null);

    /// <summary>Runs with input.</summary>
    public Task<Ran> RunAsync(string[] arguments, string? input, TimeSpan? deadline = null) =>
        Shell.RunAsync(File, [.. Prefix, .. arguments], input, Environment, deadline);

    /// <summary>Runs what must succeed.</summary>
    public async Task<string> OkAsync(string line, params string[] more) => (await RunAsync(line, more)).Ok();

    /// <summary>Runs under a shell, where <c>$K</c> is kubectl; for pipes and terminals.</summary>
    public Task<Ran> ShellAsync(string script, TimeSpan? deadline = null) =>
        Shell.RunAsync("bash", ["-c", script], null, new Dictionary<string, string>(Environment) { ["K"] = $"{File} -n {Namespace}" }, deadline);

    /// <summary>Starts what the test ends.</summary>
    public Process Start(string line, params string[] more) =>
        Shell.Start(File, [.. Prefix, .. line.Split(' ', StringSplitOptions.RemoveEmptyEntries), .. more], Environment);

    /// <summary>Applies a manifest.</summary>
    public async Task<string> ApplyAsync(string yaml, params string[] more) => (await RunAsync(["apply", "-f", "-", .. more], yaml)).Ok();

    /// <summary>Waits for a condition of a pod, by kubectl wait.</summary>
    public async Task ReadyAsync(string pod, int seconds = 40) => await WaitAsync(pod, "condition=Ready", seconds);

    /// <summary>Waits, by kubectl wait.</summary>
    public async Task WaitAsync(string pod, string condition, int seconds = 40)
    {
        var ran = await RunAsync($"wait pod/{pod} --timeout={seconds}s", $"--for={condition}");
        if (ran.Code != 0)
        {
            Assert.Fail($"{pod} did not reach {condition}: {ran.Error}\n{(await RunAsync($"describe pod {pod}")).Out}");
        }
    }

    /// <summary>Waits for a value of a field, by kubectl wait.</summary>
    public Task WaitAsync(string pod, string jsonPath, string value, int seconds = 40) => WaitAsync(pod, $"jsonpath={{{jsonPath}}}={value}", seconds);

    /// <summary>
    /// Deletes one object and waits until that one is gone. Where a controller makes another of the same name at once, the wait of kubectl delete
    /// can miss the end of the first and wait for the second.
    /// </summary>
    /// <param name="resource">For example <c>pod/web-0</c>.</param>
    /// <param name="more">More options of delete.</param>
    public async Task ReplaceAsync(string resource, string more = "")
    {
        var uid = await OkAsync($"get {resource} -o jsonpath={{.metadata.uid}}");
        await OkAsync($"delete {resource} --wait=false {more}");
        (await ShellAsync($"while [ \"$($K get {resource} --ignore-not-found -o jsonpath={{.metadata.uid}})\" = {uid} ]; do sleep 0.2; done", TimeSpan.FromSeconds(60))).Ok();
    }

    /// <summary>A field of a pod.</summary>
    public Task<string> FieldAsync(string pod, string jsonPath) => OkAsync($"get pod {pod} -o", $"jsonpath={{{jsonPath}}}");

    /// <summary>An object.</summary>
    public async Task<JsonNode> JsonAsync(string line) => JsonNode.Parse(await OkAsync(line + " -o json"))!;

    /// <summary>Runs a shell command in a pod.</summary>
    public async Task<string> ShAsync(string pod, string command, string? container = null) =>
        (await RunAsync(["exec", pod, .. container is null ? (string[])[] : ["-c", container], "--", "sh", "-c", command], null)).Ok();

    /// <summary>Waits until an event of an object is there, by a watch.</summary>
    public async Task EventAsync(string objectName, string reason, int seconds = 40)
    {
        using var watch = Start("get events --watch -o", "jsonpath={.involvedObject.name} {.reason}{\"\\n\"}");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            while (await watch.StandardOutput.ReadLineAsync(stop.Token) is { } line)
            {
                if (line == $"{objectName} {reason}")
                {
                    return;
                }
            }

            Assert.Fail($"the watch for {reason} of {objectName} ended: {await watch.StandardError.ReadToEndAsync(stop.Token)}");
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"no event {reason} of {objectName} within {seconds} s:\n{await OkAsync("get events")}");
        }
        finally
        {
            watch.Kill();
        }
    }
}

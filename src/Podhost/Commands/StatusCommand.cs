using System.CommandLine;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Transport;
using Podhost.Configuration;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost status</c>: is it up, is the node ready, how are the pods.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var options = new InstanceOptions();
        var command = new Command("status", "say whether the instance is up, and how its node and pods are");
        options.AddAllTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var instance = options.Read(parsed);
            var output = parsed.InvocationConfiguration.Output;
            if (InstanceLock.HolderOf(instance) is not { } pid)
            {
                await output.WriteLineAsync("podhost is not up");
                return 3;
            }

            await output.WriteLineAsync($"podhost {VersionCommand.ProductVersion} is up: process {pid}, data in {instance.DataDir}");
            return await PrintAsync(instance, output, cancellationToken);
        });
        return command;
    }

    private static async Task<int> PrintAsync(PodhostOptions instance, TextWriter output, CancellationToken cancellationToken)
    {
        var config = KubeConfig.Load(instance.AdminKubeconfig);
        using var transport = HttpsTransport.Create(config);
        var client = new ApiClient(transport, new ApiClientOptions { BaseAddress = config.Server, UserAgent = "podhost-status" });
        try
        {
            var nodes = await client.ListAsync<V1Node>(null, new ListQuery(), cancellationToken);
            var pods = await client.ListAsync<V1Pod>(null, new ListQuery(), cancellationToken);
            await output.WriteLineAsync($"API server   {config.Server}");
            foreach (var node in nodes.Items)
            {
                var ready = node.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready");
                await output.WriteLineAsync($"node         {node.Metadata.Name}: {(ready?.Status == "True" ? "Ready" : $"NotReady ({ready?.Reason ?? "unknown"})")}");
            }

            var phases = pods.Items.GroupBy(p => p.Status?.Phase ?? "Unknown").OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Count()} {g.Key}").ToList();
            await output.WriteLineAsync($"pods         {(phases.Count == 0 ? "none" : string.Join(", ", phases))}");
            await output.WriteLineAsync($"kubeconfig   {instance.AdminKubeconfig}");
            return nodes.Items.All(n => n.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true) ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or ApiException)
        {
            throw new ConfigurationException($"the API server at {config.Server} does not answer: {e.Message}");
        }
    }
}

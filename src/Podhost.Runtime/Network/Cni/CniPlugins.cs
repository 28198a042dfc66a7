using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.Network.Cni;

/// <summary>A plugin's refusal, or that it could not be run. The message is the plugin's, as libcni words it for a Pod's events.</summary>
internal sealed class CniException(string message) : IOException(message);

/// <summary>Which attachment a request is about (CNI specification, section 2, parameters).</summary>
/// <param name="ContainerId">The sandbox.</param>
/// <param name="NamespacePath">Its network namespace; empty where it is gone, which DEL takes.</param>
/// <param name="InterfaceName">The interface inside.</param>
/// <param name="Arguments">CNI_ARGS.</param>
internal sealed record CniTarget(string ContainerId, string NamespacePath, string InterfaceName, string Arguments);

/// <summary>Runs plugins: a program each, the request on its input, the answer on its output.</summary>
/// <param name="directories">Where they lie.</param>
/// <param name="time">The clock.</param>
internal sealed class CniPlugins(IReadOnlyList<string> directories, TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Sends a request to one plugin.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="network">The network's name.</param>
    /// <param name="configuration">The request.</param>
    /// <param name="target">The attachment; null where it is about the network as a whole (STATUS, GC).</param>
    /// <param name="cancellationToken">Ends the plugin.</param>
    /// <returns>What it answered; null for nothing.</returns>
    /// <exception cref="CniException">It refused, does not exist or did not end in time.</exception>
    internal async Task<JsonObject?> RunAsync(string command, string network, JsonObject configuration, CniTarget? target, CancellationToken cancellationToken)
    {
        var type = configuration["type"]!.GetValue<string>();
        var prefix = $"plugin type=\"{type}\" name=\"{network}\" failed ({Verb(command)}): ";
        var program = Find(configuration);
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var request = new SpawnRequest(program, []) { Environment = Environment(command, target), NewSession = true };
            var result = await ProgramRunner.RunAsync(request, configuration.ToJsonString(), either.Token);
            return result.ExitCode == 0 ? Answer(result.Output, prefix) : throw new CniException(prefix + Reason(result));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new CniException($"{prefix}did not end in {Limit.TotalSeconds} s");
        }
    }

    /// <summary>The program of a plugin.</summary>
    /// <exception cref="CniException">There is none.</exception>
    internal string Find(JsonObject configuration)
    {
        var type = configuration["type"]!.GetValue<string>();
        return directories.Select(directory => Path.Combine(directory, type)).FirstOrDefault(File.Exists)
            ?? throw new CniException($"failed to find plugin \"{type}\" in path [{string.Join(' ', directories)}]");
    }

    private static string Verb(string command) => command == "DEL" ? "delete" : command.ToLowerInvariant();

    private List<string> Environment(string command, CniTarget? target) =>
    [
        ProcessSpawner.DefaultPath,
        $"CNI_COMMAND={command}",
        .. target is null ? [] : new[]
        {
            $"CNI_CONTAINERID={target.ContainerId}",
            $"CNI_NETNS={target.NamespacePath}",
            $"CNI_IFNAME={target.InterfaceName}",
            $"CNI_ARGS={target.Arguments}",
        },
        $"CNI_PATH={string.Join(':', directories)}",
    ];

    private static JsonObject? Answer(string output, string prefix)
    {
        if (string.IsNullOrWhiteSpace(output))
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(output) as JsonObject ?? throw new CniException(prefix + "the answer is no object");
        }
        catch (JsonException failure)
        {
            throw new CniException($"{prefix}the answer cannot be read: {failure.Message}");
        }
    }

    // An error has code, msg and details; a plugin that crashed has neither.
    private static string Reason(ProgramResult result)
    {
        try
        {
            if (JsonNode.Parse(result.Output) is JsonObject error && error["msg"] is JsonValue value && value.TryGetValue<string>(out var message))
            {
                return error["details"] is JsonValue more && more.TryGetValue<string>(out var details) && details.Length > 0 ? $"{message}; {details}" : message;
            }
        }
        catch (JsonException)
        {
            // Not in the form of the specification: what it printed is all there is.
        }

        var printed = (result.Error.Length > 0 ? result.Error : result.Output).Trim();
        return $"netplugin failed with exit code {result.ExitCode}: {(printed.Length > 0 ? printed : "no error message")}";
    }
}

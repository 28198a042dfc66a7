using System.Text.Json;
using Grpc.Core;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.Processes;

/// <summary>Where the OCI runtime sees a container (runtime-spec, "State").</summary>
internal enum OciStatus
{
    /// <summary>It knows no such container.</summary>
    Absent,

    /// <summary>Its process waits for start.</summary>
    Created,

    /// <summary>Its process runs.</summary>
    Running,

    /// <summary>Its process ended.</summary>
    Stopped,
}

/// <summary>The commands of an OCI runtime that are used, each one short run of its program.</summary>
/// <param name="program">Its absolute path.</param>
/// <param name="stateDirectory">Where it keeps its state.</param>
internal sealed class OciRuntime(string program, string stateDirectory)
{
    internal string Program => program;

    internal string StateDirectory => stateDirectory;

    /// <summary>
    /// Creates a container whose output goes nowhere. Its process inherits what the runtime's program has as output, so that a pipe of
    /// ours would stay open as long as the container lives: errors come by a log file.
    /// </summary>
    /// <param name="id">The container.</param>
    /// <param name="bundle">Its bundle.</param>
    /// <param name="pidFile">Where its process id is written.</param>
    /// <param name="isMapped">With users of its own: crun gives its own streams to root of these, so they are a file and not the machine's /dev/null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async Task CreateDetachedAsync(string id, string bundle, string pidFile, bool isMapped, CancellationToken cancellationToken)
    {
        var log = Path.Combine(bundle, "oci.log");
        using var file = isMapped ? File.OpenHandle(Path.Combine(bundle, "stdio"), FileMode.Create, FileAccess.ReadWrite) : null;
        var request = new SpawnRequest(program, ["--root", stateDirectory, "--log", log, "create", "--bundle", bundle, "--pid-file", pidFile, id])
        {
            Environment = [ProcessSpawner.DefaultPath],
            Descriptors = file is null ? [] : [new(file, 0), new(file, 1), new(file, 2)],
        };
        var code = await ProcessSpawner.Spawn(request).Exit.WaitAsync(cancellationToken);
        if (code != 0)
        {
            var text = File.Exists(log) ? await File.ReadAllTextAsync(log, cancellationToken) : string.Empty;
            throw new RpcException(new Status(StatusCode.Internal, $"{Path.GetFileName(program)} create: {Explain(text)}"));
        }
    }

    internal Task StartAsync(string id, CancellationToken cancellationToken) => RunAsync(["start", id], cancellationToken);

    /// <summary>Removes the runtime's state and cgroup of a container, killing what lives. Idempotent.</summary>
    internal async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        if (Directory.Exists(Path.Combine(stateDirectory, id)))
        {
            await RunAsync(["delete", "--force", id], cancellationToken);
        }
    }

    internal async Task<OciStatus> StateAsync(string id, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Path.Combine(stateDirectory, id)))
        {
            return OciStatus.Absent;
        }

        var result = await ProgramRunner.RunAsync(Request(["state", id]), null, cancellationToken);
        if (result.ExitCode != 0)
        {
            return OciStatus.Absent;
        }

        using var state = JsonDocument.Parse(result.Output);
        return state.RootElement.GetProperty("status").GetString() switch
        {
            "created" => OciStatus.Created,
            "running" => OciStatus.Running,
            _ => OciStatus.Stopped,
        };
    }

    internal SpawnRequest Request(IReadOnlyList<string> arguments) =>
        new(program, ["--root", stateDirectory, .. arguments]) { Environment = [ProcessSpawner.DefaultPath] };

    /// <summary>The last line that tells something, without the log decoration of runc.</summary>
    internal static string Explain(string error)
    {
        var line = error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "no reason given";
        var message = line.IndexOf("msg=\"", StringComparison.Ordinal);
        return message < 0 ? line : line[(message + 5)..].TrimEnd('"').Replace("\\\"", "\"", StringComparison.Ordinal);
    }

    private async Task RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await ProgramRunner.RunAsync(Request(arguments), null, cancellationToken);
        if (result.ExitCode != 0)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"{Path.GetFileName(program)} {arguments[0]}: {Explain(result.Error)}"));
        }
    }
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Grpc.Core;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.Processes;

/// <summary>A container to be created under conmon.</summary>
internal sealed record ConmonRequest(string Id, string Bundle, OciRuntime Runtime, string ExitDirectory)
{
    /// <summary>The log; null for none.</summary>
    internal string? LogPath { get; init; }

    internal bool Terminal { get; init; }

    internal bool Stdin { get; init; }

    /// <summary>Standard input stays open when an attached client leaves.</summary>
    internal bool KeepStdin { get; init; }
}

/// <summary>The processes of a created container.</summary>
internal sealed record ConmonResult(ProcessIdentity Container, ProcessIdentity Monitor);

/// <summary>
/// Creates containers under conmon (https://github.com/containers/conmon), which holds their streams, writes the log, serves attach and
/// records the exit code, in a session of its own: it outlives this process. The result comes over an inherited pipe, without polling.
/// </summary>
/// <param name="program">conmon's absolute path.</param>
internal sealed class Conmon(string program)
{
    private const string SyncPipe = "_OCI_SYNCPIPE";

    /// <summary>The file names that conmon makes in the bundle.</summary>
    internal const string PidFile = "pidfile";

    /// <summary>conmon's own process id.</summary>
    internal const string MonitorPidFile = "conmon.pid";

    /// <summary>The socket of attached clients.</summary>
    internal const string AttachSocket = "attach";

    /// <summary>Terminal sizes and log reopening.</summary>
    internal const string ControlFifo = "ctl";

    /// <summary>Creates a container; its process waits for start. Internal with the OCI runtime's reason when it cannot.</summary>
    internal async Task<ConmonResult> CreateAsync(ConmonRequest request, CancellationToken cancellationToken)
    {
        var (read, write) = Descriptors.Pipe();
        using var stream = new DescriptorStream(read, canRead: true, canWrite: false);
        ChildProcess child;
        using (write)
        {
            child = ProcessSpawner.Spawn(new SpawnRequest(program, Arguments(request))
            {
                Environment = [ProcessSpawner.DefaultPath, Number(SyncPipe, write)],
                Descriptors = [InheritedDescriptor.SameNumber(write)],
                NewSession = true,
                WorkingDirectory = request.Bundle,
            });
        }

        var code = await child.Exit.WaitAsync(cancellationToken);
        var (pid, message) = Parse(await new LineReader(stream).ReadAsync(cancellationToken), code);
        if (pid <= 0)
        {
            throw new RpcException(new Status(StatusCode.Internal, message));
        }

        return new ConmonResult(Identify(pid, "the container's process"), Identify(ReadPid(Path.Combine(request.Bundle, MonitorPidFile)), "conmon"));
    }

    /// <summary>The process that conmon left word of in a bundle; 0 when it did not get that far.</summary>
    internal static int ReadPid(string file) =>
        File.Exists(file) && int.TryParse(File.ReadAllText(file).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0;

    /// <summary>
    /// Starts a conmon for a command with a terminal in a running container. It stays our child (<c>--sync</c>) and ends with the command.
    /// </summary>
    /// <param name="start">The command.</param>
    /// <param name="words">Where it tells the command's process id, and at the end the exit code.</param>
    /// <param name="ready">Where it tells that clients may attach.</param>
    /// <param name="go">From where it takes a byte to begin, and another to start the command.</param>
    internal ChildProcess SpawnExec(ExecStart start, SafeHandle words, SafeHandle ready, SafeHandle go)
    {
        string[] arguments =
        [
            "--api-version", "1", "-c", start.ContainerId, "-u", start.ContainerId, "-n", start.ContainerId, "-r", start.Runtime.Program,
            "--runtime-arg", "--root=" + start.Runtime.StateDirectory, "--runtime-arg", "--log=" + start.LogFile, "-b", start.Directory, "-p", start.PidFile,
            "--exec", "--exec-attach", "--exec-process-spec", start.ProcessFile, "--terminal", "--stdin", "--leave-stdin-open",
            "-l", "k8s-file:/dev/null", "--full-attach", "--no-sync-log", "--sync",
        ];
        return ProcessSpawner.Spawn(new SpawnRequest(program, arguments)
        {
            Environment = [ProcessSpawner.DefaultPath, Number(SyncPipe, words), Number("_OCI_ATTACHPIPE", ready), Number("_OCI_STARTPIPE", go)],
            Descriptors = [InheritedDescriptor.SameNumber(words), InheritedDescriptor.SameNumber(ready), InheritedDescriptor.SameNumber(go)],
            NewSession = true,
            WorkingDirectory = start.Directory,
        });
    }

    private static string Number(string name, SafeHandle descriptor) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}={(int)descriptor.DangerousGetHandle()}");

    private static List<string> Arguments(ConmonRequest request)
    {
        List<string> arguments =
        [
            "--api-version", "1", "-c", request.Id, "-u", request.Id, "-n", request.Id, "-r", request.Runtime.Program,
            "--runtime-arg", "--root=" + request.Runtime.StateDirectory, "-b", request.Bundle, "--persist-dir", request.Bundle,
            "--exit-dir", request.ExitDirectory, "-p", Path.Combine(request.Bundle, PidFile), "-P", Path.Combine(request.Bundle, MonitorPidFile),
            "-l", "k8s-file:" + (request.LogPath ?? "/dev/null"), "--full-attach", "--no-sync-log",
        ];
        if (request.Terminal)
        {
            arguments.Add("--terminal");
        }

        if (request.Stdin)
        {
            arguments.Add("--stdin");
            if (request.KeepStdin)
            {
                arguments.Add("--leave-stdin-open");
            }
        }

        return arguments;
    }

    internal static (int Number, string Message) Parse(string line, int exitCode)
    {
        if (line.Length == 0)
        {
            return (-1, $"conmon ended with code {exitCode} and no word");
        }

        try
        {
            using var answer = JsonDocument.Parse(line);
            var pid = answer.RootElement.GetProperty("data").GetInt32();
            var message = answer.RootElement.TryGetProperty("message", out var text) ? OciRuntime.Explain(text.GetString() ?? string.Empty) : "the OCI runtime failed";
            return (pid, message);
        }
        catch (JsonException)
        {
            return (-1, $"conmon answered {line.Trim()}");
        }
    }

    // A process that has ended already cannot be told from a later one: it counts as its own, by a start time that fits none.
    private static ProcessIdentity Identify(int pid, string what) => pid > 0
        ? ProcessIdentity.Read(pid) ?? new ProcessIdentity(pid, ulong.MaxValue)
        : throw new RpcException(new Status(StatusCode.Internal, $"the id of {what} is not known"));
}

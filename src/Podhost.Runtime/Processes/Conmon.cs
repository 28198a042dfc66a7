using System.Globalization;
using System.Text;
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
    private const int MaxMessageBytes = 64 * 1024;

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
            var number = ((int)write.DangerousGetHandle()).ToString(CultureInfo.InvariantCulture);
            child = ProcessSpawner.Spawn(new SpawnRequest(program, Arguments(request))
            {
                Environment = [ProcessSpawner.DefaultPath, $"{SyncPipe}={number}"],
                Descriptors = [InheritedDescriptor.SameNumber(write)],
                NewSession = true,
                WorkingDirectory = request.Bundle,
            });
        }

        var code = await child.Exit.WaitAsync(cancellationToken);
        var (pid, message) = Parse(await ReadLineAsync(stream, cancellationToken), code);
        if (pid <= 0)
        {
            throw new RpcException(new Status(StatusCode.Internal, message));
        }

        return new ConmonResult(Identify(pid, "the container's process"), Identify(ReadPid(Path.Combine(request.Bundle, MonitorPidFile)), "conmon"));
    }

    /// <summary>The process that conmon left word of in a bundle; 0 when it did not get that far.</summary>
    internal static int ReadPid(string file) =>
        File.Exists(file) && int.TryParse(File.ReadAllText(file).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0;

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

    private static async Task<string> ReadLineAsync(DescriptorStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxMessageBytes];
        var length = 0;
        while (length < buffer.Length && Array.IndexOf(buffer, (byte)'\n', 0, length) < 0)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (count == 0)
            {
                break;
            }

            length += count;
        }

        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static (int Pid, string Message) Parse(string line, int exitCode)
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

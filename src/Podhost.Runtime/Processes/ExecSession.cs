using System.Globalization;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;
using Podhost.Linux.Processes;
using Podhost.Linux.Terminals;
using Podhost.Runtime.Containers;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;
using Podhost.Streaming.Contract;

namespace Podhost.Runtime.Processes;

/// <summary>
/// A command that runs in a container beside its main process, under <c>runtime exec</c> in the foreground: that program is its parent
/// and passes its exit code on. Streams are pipes of our own, or a terminal whose other side the runtime's program holds.
/// </summary>
internal sealed class ExecSession : IDisposable
{
    private static int _counter;
    private readonly ChildProcess _child;
    private readonly ProcessIdentity? _identity;
    private readonly string _files;
    private readonly SafeFileHandle? _terminal;

    private ExecSession(ChildProcess child, string files, ExecEnds ends)
    {
        (_child, _files, _terminal) = (child, files, ends.Terminal);
        _identity = ProcessIdentity.Read(child.Pid);
        (Stdin, Stdout, Stderr) = (ends.Stdin, ends.Stdout, ends.Stderr);
    }

    /// <summary>To the process; null where it has none.</summary>
    internal Stream? Stdin { get; }

    internal Stream Stdout { get; }

    /// <summary>Null with a terminal.</summary>
    internal Stream? Stderr { get; }

    /// <summary>Starts a command. Its end is awaited by <see cref="WaitAsync"/> in every case.</summary>
    /// <param name="context">The runtime.</param>
    /// <param name="container">Where it runs.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="tty">With a terminal.</param>
    /// <param name="stdin">With a standard input.</param>
    /// <param name="size">The terminal's size where it is known: the program sees it from its first instruction on.</param>
    internal static ExecSession Start(
        RuntimeContext context, Container container, IReadOnlyList<string> command, bool tty, bool stdin, TerminalSize? size = null)
    {
        if (container.State != Cri.V1.ContainerState.ContainerRunning)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"container {container.Id} is not running"));
        }

        var number = Interlocked.Increment(ref _counter).ToString(CultureInfo.InvariantCulture);
        var files = Path.Combine(context.Paths.Bundle(container.Id), $"exec-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}-{number}");
        File.WriteAllText(files + ".json", ProcessOf(context.Paths.Bundle(container.Id), command, tty, size).ToJsonString());
        var runtime = new OciRuntime(container.Record.RuntimePath, context.Paths.OciState);
        var request = runtime.Request(["exec", "--process", files + ".json", "--pid-file", files + ".pid", container.Id]) with { NewSession = true };
        try
        {
            return tty ? StartWithTerminal(request, files) : StartWithPipes(request, files, stdin);
        }
        catch
        {
            File.Delete(files + ".json");
            throw;
        }
    }

    /// <summary>The exit code. An <see cref="RpcException"/> when the command could not be started: the reason is on standard error.</summary>
    internal async Task<int> WaitAsync()
    {
        var code = await _child.Exit;
        // The file is written once the program is executed.
        return code == 0 || File.Exists(_files + ".pid")
            ? code
            : throw new RpcException(new Status(StatusCode.Internal, "the command could not be started in the container"));
    }

    /// <summary>Kills the command with all that it started, and the runtime's program with it.</summary>
    internal void Kill()
    {
        if (_identity is not null)
        {
            ProcessTree.Kill(_identity);
        }
    }

    internal void Resize(ushort width, ushort height)
    {
        if (_terminal is not null && !_terminal.IsClosed)
        {
            PseudoTerminal.Resize(_terminal, width, height);
            // The program is in no foreground group of this terminal: the kernel does not tell it.
            _child.Signal(Signals.WindowChange);
        }
    }

    public void Dispose()
    {
        Stdin?.Dispose();
        Stdout.Dispose();
        Stderr?.Dispose();
        _terminal?.Dispose();
        File.Delete(_files + ".json");
        File.Delete(_files + ".pid");
    }

    private static JsonNode ProcessOf(string bundle, IReadOnlyList<string> command, bool tty, TerminalSize? size)
    {
        var process = ConfigurationFile.Read(bundle)["process"]!.DeepClone();
        process["args"] = SpecBuilder.Strings(command);
        process["terminal"] = tty;
        if (tty && size is { } known)
        {
            process["consoleSize"] = new JsonObject { ["height"] = (int)known.Height, ["width"] = (int)known.Width };
        }

        var environment = process["env"]!.AsArray();
        if (tty && !environment.Any(entry => entry!.GetValue<string>().StartsWith("TERM=", StringComparison.Ordinal)))
        {
            environment.Add((JsonNode)"TERM=xterm");
        }

        return process;
    }

    private static ExecSession StartWithPipes(SpawnRequest request, string files, bool stdin)
    {
        var (stdoutRead, stdoutWrite) = Descriptors.Pipe();
        var (stderrRead, stderrWrite) = Descriptors.Pipe();
        using (stdoutWrite)
        using (stderrWrite)
        {
            List<InheritedDescriptor> descriptors = [new(stdoutWrite, 1), new(stderrWrite, 2)];
            SafeFileHandle? stdinRead = null, stdinWrite = null;
            if (stdin)
            {
                (stdinRead, stdinWrite) = Descriptors.Pipe();
                descriptors.Add(new(stdinRead, 0));
            }

            using (stdinRead)
            {
                var child = ProcessSpawner.Spawn(request with { Descriptors = descriptors });
                var input = stdinWrite is null ? null : new DescriptorStream(stdinWrite, canRead: false, canWrite: true);
                return new ExecSession(child, files, new ExecEnds(
                    input, new DescriptorStream(stdoutRead, true, false), new DescriptorStream(stderrRead, true, false), null));
            }
        }
    }

    private static ExecSession StartWithTerminal(SpawnRequest request, string files)
    {
        var terminal = PseudoTerminal.Open();
        // The runtime's program makes another one in the container, changes this one while it copies, and resets it before its last bytes.
        terminal.MakeRaw();
        using (terminal.Slave)
        {
            var child = ProcessSpawner.Spawn(request with
            {
                Descriptors = [new(terminal.Slave, 0), new(terminal.Slave, 1), new(terminal.Slave, 2)],
            });
            // Reading, writing and resizing each have a descriptor of their own: one wait at a time for each.
            var reader = new DescriptorStream(Descriptors.Duplicate(terminal.Master), canRead: true, canWrite: false);
            var writer = new DescriptorStream(Descriptors.Duplicate(terminal.Master), canRead: false, canWrite: true);
            return new ExecSession(child, files, new ExecEnds(writer, reader, null, terminal.Master));
        }
    }

    private sealed record ExecEnds(Stream? Stdin, Stream Stdout, Stream? Stderr, SafeFileHandle? Terminal);
}

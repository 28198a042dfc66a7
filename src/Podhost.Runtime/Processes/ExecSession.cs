using System.Globalization;
using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Linux.Processes;
using Podhost.Runtime.Containers;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;
using Podhost.Streaming.Contract;

namespace Podhost.Runtime.Processes;

/// <summary>A command that runs in a container beside its main process: <see cref="PipeExec"/> or <see cref="TerminalExec"/>.</summary>
internal abstract class ExecSession : IDisposable
{
    private static int _counter;

    /// <summary>To the process; null where it has none.</summary>
    internal abstract Stream? Stdin { get; }

    internal abstract Stream Stdout { get; }

    /// <summary>Null with a terminal.</summary>
    internal abstract Stream? Stderr { get; }

    /// <summary>The program whose death and whose children's is the end of the command; null when it has ended already.</summary>
    private protected abstract ProcessIdentity? Root { get; }

    /// <summary>Starts a command. Its end is awaited by <see cref="WaitAsync"/> in every case.</summary>
    /// <param name="context">The runtime.</param>
    /// <param name="container">Where it runs.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="stdin">With a standard input.</param>
    internal static ExecSession Start(RuntimeContext context, Container container, IReadOnlyList<string> command, bool stdin)
    {
        var request = Request(context, container, command, null);
        return PipeExec.Start(request, stdin);
    }

    /// <summary>Starts a command with a terminal. Its end is awaited by <see cref="WaitAsync"/> in every case.</summary>
    /// <param name="context">The runtime.</param>
    /// <param name="container">Where it runs.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="size">The terminal's size; the default where it is not known yet.</param>
    /// <param name="cancellationToken">Ends the wait for the start.</param>
    internal static async Task<ExecSession> StartWithTerminalAsync(
        RuntimeContext context, Container container, IReadOnlyList<string> command, TerminalSize? size, CancellationToken cancellationToken)
    {
        var request = Request(context, container, command, size ?? default(TerminalSize));
        return await TerminalExec.StartAsync(context.Conmon, request, cancellationToken);
    }

    /// <summary>The exit code. An <see cref="RpcException"/> when the command could not be started.</summary>
    internal abstract Task<int> WaitAsync();

    internal abstract void Resize(ushort width, ushort height);

    /// <summary>Kills the command with all that it started, and the program that watches over it.</summary>
    internal void Kill()
    {
        if (Root is not null)
        {
            ProcessTree.Kill(Root);
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);

    // A terminal exactly where a size is given; the default size is one that is not known.
    private static ExecStart Request(RuntimeContext context, Container container, IReadOnlyList<string> command, TerminalSize? terminal)
    {
        if (container.State != Cri.V1.ContainerState.ContainerRunning)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"container {container.Id} is not running"));
        }

        var number = Interlocked.Increment(ref _counter).ToString(CultureInfo.InvariantCulture);
        var bundle = context.Paths.Bundle(container.Id);
        var directory = Path.Combine(bundle, $"{ExecLeftovers.Prefix}{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}-{number}");
        var request = new ExecStart(container.Id, new OciRuntime(container.Record.RuntimePath, context.Paths.OciState), directory);
        Directory.CreateDirectory(directory);
        File.WriteAllText(request.ProcessFile, ProcessOf(bundle, command, terminal).ToJsonString());
        return request;
    }

    private static JsonNode ProcessOf(string bundle, IReadOnlyList<string> command, TerminalSize? terminal)
    {
        var process = ConfigurationFile.Read(bundle)["process"]!.DeepClone();
        process["args"] = SpecBuilder.Strings(command);
        process["terminal"] = terminal is not null;
        if (terminal is { Width: > 0, Height: > 0 } size)
        {
            process["consoleSize"] = new JsonObject { ["height"] = (int)size.Height, ["width"] = (int)size.Width };
        }

        var environment = process["env"]!.AsArray();
        if (terminal is not null && !environment.Any(entry => entry!.GetValue<string>().StartsWith("TERM=", StringComparison.Ordinal)))
        {
            environment.Add((JsonNode)"TERM=xterm");
        }

        return process;
    }
}

/// <summary>A command that is to be started in a container.</summary>
/// <param name="ContainerId">The container.</param>
/// <param name="Runtime">The program that made it.</param>
/// <param name="Directory">The session's own, in the container's bundle.</param>
internal sealed record ExecStart(string ContainerId, OciRuntime Runtime, string Directory)
{
    /// <summary>What runs: an OCI process.</summary>
    internal string ProcessFile => Path.Combine(Directory, "process.json");

    /// <summary>Written by the OCI runtime once the program is executed.</summary>
    internal string PidFile => Path.Combine(Directory, "pid");

    /// <summary>Where the OCI runtime tells why it failed.</summary>
    internal string LogFile => Path.Combine(Directory, "oci.log");

    internal void Forget()
    {
        try
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // The container is removed, its bundle with it.
        }
    }
}

using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.Processes;

/// <summary>
/// A command without a terminal, under <c>runtime exec</c> in the foreground: that program is its parent and passes its exit code on.
/// Its streams are pipes of our own.
/// </summary>
internal sealed class PipeExec : ExecSession
{
    private readonly ChildProcess _child;
    private readonly ExecStart _start;

    private PipeExec(ChildProcess child, ExecStart start, Stream? stdin, Stream stdout, Stream stderr)
    {
        (_child, _start) = (child, start);
        Root = ProcessIdentity.Read(child.Pid);
        (Stdin, Stdout, Stderr) = (stdin, stdout, stderr);
    }

    internal override Stream? Stdin { get; }

    internal override Stream Stdout { get; }

    internal override Stream Stderr { get; }

    private protected override ProcessIdentity? Root { get; }

    internal static PipeExec Start(ExecStart start, bool stdin)
    {
        var request = start.Runtime.Request(["exec", "--process", start.ProcessFile, "--pid-file", start.PidFile, start.ContainerId]) with { NewSession = true };
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
                var child = Spawn(request with { Descriptors = descriptors }, start);
                var input = stdinWrite is null ? null : new DescriptorStream(stdinWrite, canRead: false, canWrite: true);
                return new PipeExec(child, start, input, new DescriptorStream(stdoutRead, true, false), new DescriptorStream(stderrRead, true, false));
            }
        }
    }

    /// <summary>The exit code. An <see cref="RpcException"/> when the command could not be started: the reason is on standard error.</summary>
    internal override async Task<int> WaitAsync()
    {
        var code = await _child.Exit;
        return code == 0 || File.Exists(_start.PidFile)
            ? code
            : throw new RpcException(new Status(StatusCode.Internal, "the command could not be started in the container"));
    }

    internal override void Resize(ushort width, ushort height)
    {
        // Pipes have no size.
    }

    protected override void Dispose(bool disposing)
    {
        Stdin?.Dispose();
        Stdout.Dispose();
        Stderr.Dispose();
        _start.Forget();
    }

    private static ChildProcess Spawn(SpawnRequest request, ExecStart start)
    {
        try
        {
            return ProcessSpawner.Spawn(request);
        }
        catch
        {
            start.Forget();
            throw;
        }
    }
}

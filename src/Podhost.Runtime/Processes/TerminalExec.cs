using Grpc.Core;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;
using Podhost.Linux.Processes;
using Podhost.Runtime.Streaming;

namespace Podhost.Runtime.Processes;

/// <summary>
/// A command with a terminal, under conmon. It takes the container's own terminal from the OCI runtime (<c>--console-socket</c>), so that
/// no second one lies between: <c>runc exec</c> in the foreground passes the terminal on through the caller's, and stops the making of
/// line ends in the container's only after the program has started. The detached command becomes conmon's child, which tells its exit code.
/// </summary>
internal sealed class TerminalExec : ExecSession
{
    private readonly ChildProcess _monitor;
    private readonly ExecStart _start;
    private readonly DescriptorStream _words;
    private readonly LineReader _lines;
    private readonly ConmonAttachment _attachment;
    private readonly Lazy<Task<int>> _end;

    private TerminalExec(ChildProcess monitor, ExecStart start, DescriptorStream words, LineReader lines, ConmonAttachment attachment)
    {
        (_monitor, _start, _words, _lines, _attachment) = (monitor, start, words, lines, attachment);
        Root = ProcessIdentity.Read(monitor.Pid);
        _end = new Lazy<Task<int>>(EndAsync);
        Stdin = new AttachmentStream(attachment, write: true);
        Stdout = new AttachmentStream(attachment, write: false);
    }

    internal override Stream Stdin { get; }

    internal override Stream Stdout { get; }

    internal override Stream? Stderr => null;

    private protected override ProcessIdentity? Root { get; }

    /// <summary>Starts a command; it runs when this returns. Internal with the OCI runtime's reason when it cannot.</summary>
    internal static async Task<TerminalExec> StartAsync(Conmon conmon, ExecStart start, CancellationToken cancellationToken)
    {
        var (wordsRead, wordsWrite) = Descriptors.Pipe();
        var (readyRead, readyWrite) = Descriptors.Pipe();
        var (goRead, goWrite) = Descriptors.Pipe();
        var words = new DescriptorStream(wordsRead, canRead: true, canWrite: false);
        await using var ready = new DescriptorStream(readyRead, canRead: true, canWrite: false);
        using (goWrite)
        {
            ChildProcess? monitor = null;
            ConmonAttachment? attachment = null;
            try
            {
                using (wordsWrite)
                using (readyWrite)
                using (goRead)
                {
                    monitor = conmon.SpawnExec(start, wordsWrite, readyWrite, goRead);
                }

                ExecLeftovers.Note(start.Directory, monitor.Pid);
                // conmon waits for a first byte before it does anything, and for a second, once it listens, until somebody is attached.
                Descriptors.WriteAll(goWrite, [0]);
                await new LineReader(ready).ReadAsync(cancellationToken);
                attachment = await ConmonAttachment.ConnectAsync(start.Directory, cancellationToken);
                Descriptors.WriteAll(goWrite, [0]);
                var lines = new LineReader(words);
                var line = await lines.ReadAsync(cancellationToken);
                return line.Length > 0 && Conmon.Parse(line, 0).Number > 0
                    ? new TerminalExec(monitor, start, words, lines, attachment)
                    : throw new RpcException(new Status(StatusCode.Internal, "failed to exec in container: " + await ReasonAsync(monitor, start, line)));
            }
            catch
            {
                attachment?.Dispose();
                await words.DisposeAsync();
                await EndAsync(monitor);
                start.Forget();
                throw;
            }
        }
    }

    internal override Task<int> WaitAsync() => _end.Value;

    internal override void Resize(ushort width, ushort height)
    {
        try
        {
            _attachment.Resize(width, height);
        }
        catch (IOException)
        {
            // The command has ended, and conmon with it.
        }
    }

    protected override void Dispose(bool disposing)
    {
        _attachment.Dispose();
        _words.Dispose();
        _start.Forget();
    }

    // Once it has the terminal, conmon takes the runtime's words for the command's and does not pass them on.
    private static async Task<string> ReasonAsync(ChildProcess monitor, ExecStart start, string line)
    {
        var code = await monitor.Exit;
        var log = File.Exists(start.LogFile) ? await File.ReadAllTextAsync(start.LogFile) : string.Empty;
        return log.Length > 0 ? OciRuntime.Explain(log) : Conmon.Parse(line, code).Message;
    }

    // The same code is in conmon's last word and in its own end; a killed conmon leaves only the second.
    private async Task<int> EndAsync()
    {
        var line = await _lines.ReadAsync(CancellationToken.None);
        var code = await _monitor.Exit;
        return line.Length == 0 ? code : Conmon.Parse(line, code).Number;
    }

    private static async Task EndAsync(ChildProcess? monitor)
    {
        if (monitor is not null)
        {
            if (ProcessIdentity.Read(monitor.Pid) is { } living)
            {
                ProcessTree.Kill(living);
            }

            await monitor.Exit;
        }
    }
}

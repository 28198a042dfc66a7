using System.Net.Sockets;
using Grpc.Core;
using Podhost.Linux.Namespaces;
using Podhost.Runtime.Processes;
using Podhost.Runtime.State;
using Podhost.Streaming.Contract;

namespace Podhost.Runtime.Streaming;

/// <summary>Exec, attach and port-forward behind the streaming server.</summary>
internal sealed class StreamingBackend(RuntimeContext context) : IStreamingBackend
{
    private const int BufferSize = 32 * 1024;

    public async Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, bool tty, SessionStreams streams, CancellationToken cancellationToken)
    {
        using var session = await StartAsync(containerId, command, tty, streams, cancellationToken);
        using var sessionEnd = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var killing = cancellationToken.Register(session.Kill);
        var input = session.Stdin is null ? Task.CompletedTask : FeedAsync(streams.Stdin, session.Stdin, closeAfter: !tty, sessionEnd.Token);
        var resizing = ResizeAsync(streams, session.Resize, sessionEnd.Token);
        var output = Task.WhenAll(
            DeliverAsync(session.Stdout, streams.Stdout, session, cancellationToken),
            session.Stderr is { } stderr ? DeliverAsync(stderr, streams.Stderr, session, cancellationToken) : Task.CompletedTask);
        try
        {
            await output;
            return await session.WaitAsync();
        }
        catch (RpcException failure)
        {
            throw new IOException(failure.Status.Detail, failure);
        }
        finally
        {
            await sessionEnd.CancelAsync();
            session.Kill();
            await Task.WhenAll(Quiet(input), Quiet(resizing), Quiet(session.WaitAsync()));
        }
    }

    private async Task<ExecSession> StartAsync(
        string containerId, IReadOnlyList<string> command, bool tty, SessionStreams streams, CancellationToken cancellationToken)
    {
        try
        {
            var container = context.State.GetContainer(containerId);
            if (!tty)
            {
                return ExecSession.Start(context, container, command, streams.Stdin is not null);
            }

            TerminalSize? size = streams.Resizes is { } resizes && resizes.TryRead(out var first) ? first : null;
            var session = await ExecSession.StartWithTerminalAsync(context, container, command, size, cancellationToken);
            if (size is { } known)
            {
                // crun sets the size that it was told only after the start.
                session.Resize(known.Width, known.Height);
            }

            return session;
        }
        catch (RpcException failure)
        {
            // The wire knows failures of input and output alone.
            throw new IOException(failure.Status.Detail, failure);
        }
    }

    public async Task AttachAsync(string containerId, bool tty, SessionStreams streams, CancellationToken cancellationToken)
    {
        var container = Translate(() => RunningContainer(containerId));
        using var attachment = await ConmonAttachment.ConnectAsync(context.Paths.Bundle(container.Id), cancellationToken);
        using var sessionEnd = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var input = streams.Stdin is null ? Task.CompletedTask : attachment.FeedAsync(streams.Stdin, sessionEnd.Token);
        var resizing = ResizeAsync(streams, attachment.Resize, sessionEnd.Token);
        try
        {
            await attachment.DeliverAsync(streams.Stdout, streams.Stderr, cancellationToken);
        }
        finally
        {
            await sessionEnd.CancelAsync();
            await Task.WhenAll(Quiet(input), Quiet(resizing));
        }
    }

    public async Task PortForwardAsync(string sandboxId, int port, Stream stream, CancellationToken cancellationToken)
    {
        var sandbox = Translate(() => context.State.GetSandbox(sandboxId));
        using var socket = await ConnectAsync(sandbox, port, cancellationToken);
        await using var remote = new NetworkStream(socket, ownsSocket: false);
        using var sessionEnd = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var toPod = ToPodAsync(stream, remote, socket, sessionEnd.Token);
        var fromPod = remote.CopyToAsync(stream, BufferSize, sessionEnd.Token);
        // The pod's side decides the end: a client that has sent all may still wait for the answer.
        var first = await Task.WhenAny(fromPod, toPod);
        if (first == toPod && toPod.IsCompletedSuccessfully)
        {
            await Quiet(fromPod);
        }

        await sessionEnd.CancelAsync();
        await Task.WhenAll(Quiet(toPod), Quiet(fromPod));
    }

    // "localhost" of the pod: IPv4 first, as most servers listen there.
    private async Task<Socket> ConnectAsync(Sandbox sandbox, int port, CancellationToken cancellationToken)
    {
        SocketException? last = null;
        foreach (var (family, address) in new[] { (AddressFamily.InterNetwork, "127.0.0.1"), (AddressFamily.InterNetworkV6, "::1") })
        {
            var socket = await OpenSocketAsync(sandbox, family);
            try
            {
                await socket.ConnectAsync(address, port, cancellationToken);
                return socket;
            }
            catch (SocketException failure)
            {
                socket.Dispose();
                last = failure;
            }
        }

        throw new IOException($"connect to port {port} in sandbox {sandbox.Id}: {last!.Message}", last);
    }

    // A socket belongs to the network namespace that it is made in, wherever it is used.
    private Task<Socket> OpenSocketAsync(Sandbox sandbox, AddressFamily family)
    {
        Socket Open() => new(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        return sandbox.Record.Namespaces.Network == Cri.V1.NamespaceMode.Node
            ? Task.FromResult(Open())
            : NamespaceThread.RunInAsync(Path.Combine(context.Paths.NetworkNamespaces, sandbox.Id), NamespaceKinds.Network, Open);
    }

    private Container RunningContainer(string id)
    {
        var container = context.State.GetContainer(id);
        return container.State == Cri.V1.ContainerState.ContainerRunning
            ? container
            : throw new RpcException(new Status(StatusCode.FailedPrecondition, $"container {container.Id} is not running"));
    }

    private static async Task ToPodAsync(Stream client, NetworkStream remote, Socket socket, CancellationToken cancellationToken)
    {
        await client.CopyToAsync(remote, BufferSize, cancellationToken);
        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task FeedAsync(Stream? client, Stream process, bool closeAfter, CancellationToken cancellationToken)
    {
        if (client is not null)
        {
            await client.CopyToAsync(process, BufferSize, cancellationToken);
        }

        if (closeAfter)
        {
            await process.DisposeAsync();
        }
    }

    // A client that is gone ends the command: nobody would read on.
    private static async Task DeliverAsync(Stream process, Stream? client, ExecSession session, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferSize];
        int count;
        while ((count = await process.ReadAsync(buffer, cancellationToken)) > 0)
        {
            try
            {
                await (client?.WriteAsync(buffer.AsMemory(0, count), cancellationToken) ?? ValueTask.CompletedTask);
            }
            catch
            {
                session.Kill();
                throw;
            }
        }
    }

    private static async Task ResizeAsync(SessionStreams streams, Action<ushort, ushort> resize, CancellationToken cancellationToken)
    {
        if (streams.Resizes is { } sizes)
        {
            await foreach (var size in sizes.ReadAllAsync(cancellationToken))
            {
                resize(size.Width, size.Height);
            }
        }
    }

    private static async Task Quiet(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException or ObjectDisposedException or RpcException or SocketException)
        {
            // The session is over: how its other half ended does not matter.
        }
    }

    // The wire knows failures of input and output alone.
    private static T Translate<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (RpcException failure)
        {
            throw new IOException(failure.Status.Detail, failure);
        }
    }
}

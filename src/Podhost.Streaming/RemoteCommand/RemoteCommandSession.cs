using Podhost.Streaming.Contract;

namespace Podhost.Streaming.RemoteCommand;

/// <summary>Runs one exec or attach session: the backend's call, cancelled where the client goes, and the outcome for the client.</summary>
internal static class RemoteCommandSession
{
    /// <summary>How long a finished session waits for its client to hang up.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    // Clients send their terminal's size right after the streams stand; a command that starts before it sees a terminal of 0 by 0.
    private static readonly TimeSpan FirstSize = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs the call; its result is the exit code.</summary>
    /// <returns>The failure of the backend, for the log; null where there was none.</returns>
    public static async Task<Exception?> RunAsync(
        IRemoteCommandConnection connection, Func<SessionStreams, CancellationToken, Task<int>> call, TimeProvider time, CancellationToken cancellationToken)
    {
        RemoteCommandStatus status;
        Exception? failure = null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, connection.ClientGone);
        try
        {
            await FirstSizeAsync(connection.Streams, time, either.Token).ConfigureAwait(false);
            status = RemoteCommandStatus.Exited(await call(connection.Streams, either.Token).ConfigureAwait(false));
        }
        catch (Exception) when (connection.ClientGone.IsCancellationRequested || cancellationToken.IsCancellationRequested)
        {
            return null; // nobody is left to be told
        }
        catch (Exception e)
        {
            failure = e;
            status = RemoteCommandStatus.Failed(e.Message);
        }

        try
        {
            await connection.FinishAsync(status, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException or ObjectDisposedException or System.Net.WebSockets.WebSocketException)
        {
            // The client left before it heard the outcome, or does not hang up: the caller closes the connection.
        }

        return failure;
    }

    private static async Task FirstSizeAsync(SessionStreams streams, TimeProvider time, CancellationToken cancellationToken)
    {
        if (streams.Resizes is not { } sizes)
        {
            return;
        }

        using var limit = new CancellationTokenSource(FirstSize, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await sizes.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // This client sends none.
        }
    }
}

using Podhost.Streaming.Contract;

namespace Podhost.Streaming.RemoteCommand;

/// <summary>Runs one exec or attach session: the backend's call, cancelled where the client goes, and the outcome for the client.</summary>
internal static class RemoteCommandSession
{
    /// <summary>How long a finished session waits for its client to hang up.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    /// <summary>Runs the call; its result is the exit code.</summary>
    /// <returns>The failure of the backend, for the log; null where there was none.</returns>
    public static async Task<Exception?> RunAsync(
        IRemoteCommandConnection connection, Func<SessionStreams, CancellationToken, Task<int>> call, CancellationToken cancellationToken)
    {
        RemoteCommandStatus status;
        Exception? failure = null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, connection.ClientGone);
        try
        {
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
}

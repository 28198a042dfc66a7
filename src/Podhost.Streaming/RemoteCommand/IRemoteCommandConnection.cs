using Podhost.Streaming.Contract;

namespace Podhost.Streaming.RemoteCommand;

/// <summary>One exec or attach session on whatever wire protocol.</summary>
internal interface IRemoteCommandConnection : IAsyncDisposable
{
    /// <summary>The streams for the backend.</summary>
    SessionStreams Streams { get; }

    /// <summary>Cancelled when the client is gone.</summary>
    CancellationToken ClientGone { get; }

    /// <summary>Tells the client the outcome, ends all streams and waits a bounded time for the client to hang up.</summary>
    Task FinishAsync(RemoteCommandStatus status, CancellationToken cancellationToken);
}

/// <summary>Which streams a session has.</summary>
internal readonly record struct StreamSelection(bool Tty, bool Stdin, bool Stdout, bool Stderr);

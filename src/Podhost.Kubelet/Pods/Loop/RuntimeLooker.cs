using Microsoft.Extensions.Logging;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>Looks at the runtime for a loop: one look at a time; asked for during one, another follows.</summary>
internal sealed partial class RuntimeLooker(string podUid, PodMailbox mailbox, PodLoopServices services)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly Lock gate = new();
    private bool looking;
    private bool again;

    /// <summary>Asks for a look that begins after this call.</summary>
    public void Look(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (looking)
            {
                again = true;
                return;
            }

            looking = true;
        }

        _ = RunAsync(cancellationToken);
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            do
            {
                var look = await UntilSeenAsync(podUid, services, cancellationToken).ConfigureAwait(false);
                mailbox.Post(m => m.Offer(look));
            }
            while (GoOn());
        }
        catch (OperationCanceledException)
        {
            // The loop ends; nobody reads the box any more.
        }
    }

    private bool GoOn()
    {
        lock (gate)
        {
            looking = again;
            again = false;
            return looking;
        }
    }

    /// <summary>Looks until the runtime answers.</summary>
    public static async Task<RuntimeLook> UntilSeenAsync(string podUid, PodLoopServices services, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await services.Observer.LookAsync(podUid, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                LogFailed(services.Logger, podUid, e.Message);
                await Task.Delay(RetryAfter, services.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Looking at pod {PodUid} in the runtime failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string podUid, string error);
}

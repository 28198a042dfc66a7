using Podhost.Cri.V1;

namespace Podhost.Cri.Client;

/// <summary>
/// Deadlines of calls, as the kubelet sets them: the runtime request timeout (2 minutes unless told otherwise), twice that where
/// sandboxes start and stop, and the caller's own time on top where the request carries one. Pulls and event streams have none.
/// </summary>
internal sealed class CriDeadlines(TimeSpan requestTimeout, TimeProvider time)
{
    // Time spans in requests are the caller's numbers: beyond this they mean "no limit".
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    public DateTime? Default => After(requestTimeout);

    public DateTime? Slow => After(requestTimeout * 2);

    public DateTime? Exec(ExecSyncRequest request) => request.Timeout > 0 ? After(requestTimeout + Seconds(request.Timeout)) : null;

    public DateTime? Stop(StopContainerRequest request) => After(requestTimeout + Seconds(request.Timeout));

    private static TimeSpan Seconds(long seconds) =>
        seconds <= 0 ? TimeSpan.Zero : seconds >= Longest.TotalSeconds ? Longest : TimeSpan.FromSeconds(seconds);

    private DateTime After(TimeSpan span) => (time.GetUtcNow() + span).UtcDateTime;
}

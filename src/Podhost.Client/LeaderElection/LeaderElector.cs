using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;

namespace Podhost.Client.LeaderElection;

/// <summary>Makes one of several candidates the leader, through a Lease.</summary>
/// <param name="client">The client.</param>
/// <param name="options">The Lease and its times.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Changes and failures.</param>
public sealed partial class LeaderElector(IApiClient client, LeaderElectionOptions options, TimeProvider time, ILogger logger)
{
    private V1Lease? _seen;
    private long _seenAt;

    /// <summary>True while this candidate leads.</summary>
    public bool IsLeader { get; private set; }

    /// <summary>The holder as last seen; empty where there is none.</summary>
    public string Holder => _seen?.Spec?.HolderIdentity ?? "";

    /// <summary>
    /// Until cancelled: waits to become the leader, then runs <paramref name="lead"/>. Its token is cancelled where the lease is lost, and
    /// the election starts again when it has ended. Where <paramref name="lead"/> fails or ends by itself, the lease is given up and so does this.
    /// </summary>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await AcquireAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            if (!await LeadAsync(lead, cancellationToken).ConfigureAwait(false))
            {
                return;
            }
        }
    }

    /// <summary>Leads until the lease is lost (true), or the work ended or was cancelled (false).</summary>
    private async Task<bool> LeadAsync(Func<CancellationToken, Task> lead, CancellationToken cancellationToken)
    {
        IsLeader = true;
        LogLeading(logger, options.Name, options.Identity);
        using var term = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = Task.Run(() => lead(term.Token), CancellationToken.None);
        var renewing = RenewAsync(term.Token);
        var isLost = false;
        try
        {
            isLost = await Task.WhenAny(work, renewing).ConfigureAwait(false) == renewing && !cancellationToken.IsCancellationRequested;
            await term.CancelAsync().ConfigureAwait(false);
            await renewing.ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (term.IsCancellationRequested)
        {
        }
        finally
        {
            IsLeader = false;
            if (!isLost)
            {
                await ReleaseAsync().ConfigureAwait(false);
            }
        }

        LogStopped(logger, options.Name, options.Identity);
        return isLost;
    }

    private async Task AcquireAsync(CancellationToken cancellationToken)
    {
        while (!await TryTakeAsync(cancellationToken).ConfigureAwait(false))
        {
            await Task.Delay(options.RetryPeriod, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Renews until that has not succeeded for the deadline, or it is cancelled. Never throws.</summary>
    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        var renewed = time.GetTimestamp();
        try
        {
            while (time.GetElapsedTime(renewed) < options.RenewDeadline)
            {
                await Task.Delay(options.RetryPeriod, time, cancellationToken).ConfigureAwait(false);
                if (await TryTakeAsync(cancellationToken).ConfigureAwait(false))
                {
                    renewed = time.GetTimestamp();
                }
                else if (Holder.Length > 0 && Holder != options.Identity)
                {
                    break;
                }
            }

            LogLost(logger, options.Name, Holder);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task<bool> TryTakeAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.RenewDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            var lease = await ReadAsync(either.Token).ConfigureAwait(false);
            if (lease is not null && !LeaseRules.CanTake(lease.Spec ?? new(), options.Identity, time.GetElapsedTime(_seenAt)))
            {
                return false;
            }

            See(await WriteAsync(lease, either.Token).ConfigureAwait(false));
            return true;
        }
        catch (ApiException e) when (e.IsConflict || e.IsAlreadyExists)
        {
            return false;
        }
        catch (Exception e) when (e is ApiException or HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogFailed(logger, options.Name, e);
            return false;
        }
    }

    private async Task<V1Lease?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var lease = await client.GetAsync<V1Lease>(options.Namespace, options.Name, cancellationToken).ConfigureAwait(false);
            See(lease);
            return lease;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    private Task<V1Lease> WriteAsync(V1Lease? lease, CancellationToken cancellationToken)
    {
        var spec = LeaseRules.Held(lease?.Spec, options, time.GetUtcNow().UtcDateTime);
        if (lease is null)
        {
            var metadata = new V1ObjectMeta { Name = options.Name, NamespaceProperty = options.Namespace };
            return client.CreateAsync(new V1Lease { Metadata = metadata, Spec = spec }, cancellationToken);
        }

        lease.Spec = spec;
        return client.UpdateAsync(lease, null, cancellationToken);
    }

    private async Task ReleaseAsync()
    {
        if (_seen is not { } lease || Holder != options.Identity)
        {
            return;
        }

        using var deadline = new CancellationTokenSource(options.RetryPeriod, time);
        try
        {
            lease.Spec = LeaseRules.Released(lease.Spec, time.GetUtcNow().UtcDateTime);
            See(await client.UpdateAsync(lease, null, deadline.Token).ConfigureAwait(false));
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or OperationCanceledException)
        {
            // Others take over when the lease has run out.
            LogFailed(logger, options.Name, e);
        }
    }

    private void See(V1Lease lease)
    {
        if (_seen is null || _seen.Metadata.ResourceVersion != lease.Metadata.ResourceVersion)
        {
            _seenAt = time.GetTimestamp();
        }

        _seen = lease;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Identity} leads {Lease}")]
    private static partial void LogLeading(ILogger logger, string lease, string identity);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Identity} no longer leads {Lease}")]
    private static partial void LogStopped(ILogger logger, string lease, string identity);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the lease {Lease} was lost to \"{Holder}\"")]
    private static partial void LogLost(ILogger logger, string lease, string holder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the lease {Lease} could not be read or written")]
    private static partial void LogFailed(ILogger logger, string lease, Exception exception);
}

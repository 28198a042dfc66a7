using Microsoft.Extensions.Logging;
using Podhost.Linux.Nftables;
using Podhost.Network.ServiceProxy.Rules;

namespace Podhost.Network.ServiceProxy;

/// <summary>
/// The table in the kernel. It writes what changed; where that is refused, or nothing is known of the table yet, it repairs it, and where
/// that is refused, it replaces it. Each is one transaction. Not for use by two threads at once, but for <see cref="Suspect"/>.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="nftables">Takes the rules.</param>
/// <param name="logger">Repairs are told here.</param>
internal sealed partial class ServiceTable(NftTable table, INftables nftables, ILogger logger)
{
    private Ruleset? _applied;
    private volatile bool _isSuspect;

    public NftTable Table => table;

    /// <summary>The table may be gone: the next write looks.</summary>
    public void Suspect() => _isSuspect = true;

    /// <summary>Makes the table say this.</summary>
    /// <exception cref="IOException">Everything was refused.</exception>
    public async Task WriteAsync(Ruleset rules, CancellationToken cancellationToken)
    {
        await ForgetLostTableAsync(cancellationToken);
        if (_applied is { } applied)
        {
            var script = RulesetScript.Change(table, applied, rules);
            _applied = null;
            try
            {
                if (script.Length > 0)
                {
                    await nftables.ApplyAsync(script, cancellationToken);
                }

                _applied = rules;
                return;
            }
            catch (IOException failure)
            {
                LogForeignChange(failure, table);
            }
        }

        await RepairAsync(rules, cancellationToken);
        _applied = rules;
    }

    // Our own replacement is told too, and so is a removal that was followed by a repair: what counts is whether the table is there.
    private async Task ForgetLostTableAsync(CancellationToken cancellationToken)
    {
        if (!_isSuspect)
        {
            return;
        }

        _isSuspect = false;
        if (_applied is not null && await IsGoneAsync(cancellationToken))
        {
            LogLost(table);
            _applied = null;
        }
    }

    private async Task<bool> IsGoneAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await nftables.ReadNamesAsync(table.Family, table.Name, cancellationToken) is null;
        }
        catch (FormatException)
        {
            // More than can be read: it is there.
            return false;
        }
    }

    private async Task RepairAsync(Ruleset rules, CancellationToken cancellationToken)
    {
        try
        {
            var present = await nftables.ReadNamesAsync(table.Family, table.Name, cancellationToken);
            await nftables.ApplyAsync(RulesetScript.Repair(table, present, rules), cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            LogReplaced(failure, table);
            await nftables.ApplyAsync(RulesetScript.Replace(table, rules), cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "table {Table} is not as it was left; it is repaired")]
    private partial void LogForeignChange(Exception failure, NftTable table);

    [LoggerMessage(Level = LogLevel.Warning, Message = "table {Table} was removed by somebody else; it is written anew")]
    private partial void LogLost(NftTable table);

    [LoggerMessage(Level = LogLevel.Warning, Message = "table {Table} could not be repaired; it is replaced whole")]
    private partial void LogReplaced(Exception failure, NftTable table);
}

using Podhost.Linux.Processes;

namespace Podhost.Linux.Nftables;

/// <summary>nftables through the nft program.</summary>
public interface INftables
{
    /// <summary>Applies a script, all of it or nothing.</summary>
    /// <param name="script">Commands of nft(8).</param>
    /// <param name="cancellationToken">Kills the program; the kernel has then applied all or nothing.</param>
    Task ApplyAsync(string script, CancellationToken cancellationToken);

    /// <summary>The names of what a table has, without its contents; null where there is no such table.</summary>
    /// <param name="family">Its family.</param>
    /// <param name="table">The table.</param>
    /// <param name="cancellationToken">Kills the program.</param>
    /// <exception cref="FormatException">There is more than can be read.</exception>
    Task<NftTableNames?> ReadNamesAsync(NftFamily family, string table, CancellationToken cancellationToken);
}

/// <summary>Runs <c>nft -f -</c>: one script is one transaction of the kernel.</summary>
public sealed class NftProgram : INftables
{
    // Names of some 50,000 chains and sets.
    private const int MaxOutput = 16 << 20;
    private readonly string? _path = ProgramFinder.Find("nft");

    /// <summary>The program is installed.</summary>
    public bool IsInstalled => _path is not null;

    /// <inheritdoc/>
    public Task ApplyAsync(string script, CancellationToken cancellationToken) => RunAsync(["-f", "-"], script, cancellationToken);

    /// <inheritdoc/>
    public async Task<NftTableNames?> ReadNamesAsync(NftFamily family, string table, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(family);
        var lists = $"list tables {family.Name}; list chains {family.Name}; list sets {family.Name}; list maps {family.Name}";
        return NftTableNames.Parse(await RunAsync(["--json", "--terse", lists], null, cancellationToken), family, table);
    }

    private async Task<string> RunAsync(string[] arguments, string? script, CancellationToken cancellationToken)
    {
        var path = _path ?? throw new IOException("nft is not installed (package nftables)");
        var request = new SpawnRequest(path, arguments) { Environment = [ProcessSpawner.DefaultPath] };
        var result = await ProgramRunner.RunAsync(request, script, cancellationToken, MaxOutput);
        return result.ExitCode == 0 ? result.Output : throw new IOException($"nft refused the rules: {result.Error.Trim()}");
    }
}

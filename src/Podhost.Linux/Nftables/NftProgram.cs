using Podhost.Linux.Processes;

namespace Podhost.Linux.Nftables;

/// <summary>nftables through the nft program.</summary>
public interface INftables
{
    /// <summary>Applies a script, all of it or nothing.</summary>
    /// <param name="script">Commands of nft(8).</param>
    /// <param name="cancellationToken">Kills the program; the kernel has then applied all or nothing.</param>
    Task ApplyAsync(string script, CancellationToken cancellationToken);
}

/// <summary>Runs <c>nft -f -</c>: one script is one transaction of the kernel.</summary>
public sealed class NftProgram : INftables
{
    private readonly string? _path = ProgramFinder.Find("nft");

    /// <summary>The program is installed.</summary>
    public bool IsInstalled => _path is not null;

    /// <inheritdoc/>
    public async Task ApplyAsync(string script, CancellationToken cancellationToken)
    {
        var path = _path ?? throw new IOException("nft is not installed (package nftables)");
        var request = new SpawnRequest(path, ["-f", "-"]) { Environment = [ProcessSpawner.DefaultPath] };
        var result = await ProgramRunner.RunAsync(request, script, cancellationToken);
        if (result.ExitCode != 0)
        {
            throw new IOException($"nft refused the rules: {result.Error.Trim()}");
        }
    }
}

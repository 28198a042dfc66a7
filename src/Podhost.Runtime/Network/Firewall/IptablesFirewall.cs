using Podhost.Linux.Processes;

namespace Podhost.Runtime.Network.Firewall;

/// <summary>The machine's own firewall, in which pods must not get stuck.</summary>
internal interface IHostFirewall
{
    /// <summary>Lets through what comes from a bridge and what goes to it. Again and again is fine.</summary>
    /// <param name="bridge">The bridge.</param>
    /// <param name="withIPv6">Pods have addresses of IPv6, too.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="IOException">The firewall refused.</exception>
    Task OpenAsync(string bridge, bool withIPv6, CancellationToken cancellationToken);

    /// <summary>Takes the rules away, if there are any.</summary>
    /// <exception cref="IOException">The firewall refused.</exception>
    Task CloseAsync(string bridge, CancellationToken cancellationToken);
}

/// <summary>
/// The iptables of the machine, whichever kind it is (nf_tables or legacy): the one that Docker and others write with. Where it is not
/// installed nobody has filtered with it, and nothing is done.
/// </summary>
/// <param name="find">Finds an installed program; the test's own to run it in a network namespace.</param>
internal sealed class IptablesFirewall(Func<string, IReadOnlyList<string>?> find) : IHostFirewall
{
    private const string IPv4 = "iptables";
    private static readonly string[] Both = [IPv4, "ip6tables"];

    internal IptablesFirewall()
        : this(name => ProgramFinder.Find(name) is { } path ? [path] : null)
    {
    }

    /// <inheritdoc/>
    public async Task OpenAsync(string bridge, bool withIPv6, CancellationToken cancellationToken)
    {
        foreach (var name in withIPv6 ? Both : [IPv4])
        {
            if (find(name) is { } program)
            {
                await RestoreAsync(name, ForwardChain.Open(bridge, await IsLinkedAsync(program, bridge, cancellationToken)), cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public async Task CloseAsync(string bridge, CancellationToken cancellationToken)
    {
        foreach (var name in Both)
        {
            if (find(name) is { } program && await IsLinkedAsync(program, bridge, cancellationToken))
            {
                await RestoreAsync(name, ForwardChain.Close(bridge), cancellationToken);
            }
        }
    }

    private static async Task<bool> IsLinkedAsync(IReadOnlyList<string> program, string bridge, CancellationToken cancellationToken) =>
        (await RunAsync(program, ForwardChain.Check(bridge), null, cancellationToken)).ExitCode == 0;

    private async Task RestoreAsync(string name, string rules, CancellationToken cancellationToken)
    {
        var restore = find(name + "-restore") ?? throw new IOException($"{name}-restore is not installed");
        var result = await RunAsync(restore, ["-w", "5", "--noflush"], rules, cancellationToken);
        if (result.ExitCode != 0)
        {
            throw new IOException($"{name}-restore refused the rules: {result.Error.Trim()}");
        }
    }

    private static Task<ProgramResult> RunAsync(IReadOnlyList<string> program, IEnumerable<string> arguments, string? input, CancellationToken cancellationToken) =>
        ProgramRunner.RunAsync(
            new SpawnRequest(program[0], [.. program.Skip(1), .. arguments]) { Environment = [ProcessSpawner.DefaultPath] }, input, cancellationToken);
}

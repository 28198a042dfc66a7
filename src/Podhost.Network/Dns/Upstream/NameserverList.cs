using System.Net;

namespace Podhost.Network.Dns.Upstream;

/// <summary>The node's nameservers. The file is looked at when they are needed, at most once a second, and read where it has changed.</summary>
/// <param name="path">A resolv.conf.</param>
/// <param name="port">Their port.</param>
/// <param name="own">Where we listen: a nameserver there would be ourselves.</param>
/// <param name="time">The clock.</param>
internal sealed class NameserverList(string path, int port, IReadOnlyList<IPEndPoint> own, TimeProvider time)
{
    // As many as resolvers use.
    private const int MaxServers = 3;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private IReadOnlyList<IPEndPoint> _servers = [];
    private DateTime _changed;
    private long? _looked;

    /// <summary>The nameservers in their order; empty where there are none or the file cannot be read.</summary>
    public IReadOnlyList<IPEndPoint> Current()
    {
        lock (_gate)
        {
            if (_looked is { } looked && time.GetElapsedTime(looked) < LookEvery)
            {
                return _servers;
            }

            _looked = time.GetTimestamp();
            try
            {
                var changed = File.GetLastWriteTimeUtc(path);
                if (changed != _changed)
                {
                    (_servers, _changed) = (Parse(File.ReadAllText(path), port, own), changed);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // As a resolver without its file: there is nobody to ask until it is back.
                (_servers, _changed) = ([], default);
            }

            return _servers;
        }
    }

    /// <summary>The nameservers of a resolv.conf that are not ourselves.</summary>
    internal static IReadOnlyList<IPEndPoint> Parse(string text, int port, IReadOnlyList<IPEndPoint> own) =>
    [
        .. text.Split('\n')
            .Select(l => l.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(f => f.Length >= 2 && f[0] == "nameserver")
            .Select(f => IPAddress.TryParse(f[1], out var address) ? new IPEndPoint(address, port) : null)
            .OfType<IPEndPoint>()
            .Where(e => !own.Contains(e))
            .Distinct()
            .Take(MaxServers),
    ];
}

using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Podhost.ApiServer.Hosting;

/// <summary>Settings of the API server.</summary>
public sealed record ApiServerOptions
{
    /// <summary>Address to listen on.</summary>
    public IPAddress BindAddress { get; init; } = IPAddress.Any;

    /// <summary>HTTPS port; 0 lets the system choose one.</summary>
    public int SecurePort { get; init; } = 6443;

    /// <summary>Serving certificate with its private key; null listens without TLS, for tests on loopback only.</summary>
    public X509Certificate2? ServingCertificate { get; init; }

    /// <summary>Certificates sent along with the serving certificate.</summary>
    public X509Certificate2Collection? ServingChain { get; init; }

    /// <summary>False serves only the in-process transport.</summary>
    public bool Listen { get; init; } = true;

    /// <summary>True lets requests without credentials through to authorization as system:anonymous.</summary>
    public bool AllowAnonymous { get; init; } = true;

    /// <summary>Prefix of all keys in the store, with slashes around it, as etcd has it from upstream.</summary>
    public string StorePrefix { get; init; } = "/registry/";

    /// <summary>Most bytes of a request body.</summary>
    public int MaxRequestBytes { get; init; } = 3 * 1024 * 1024;

    /// <summary>Most reading requests at once; watches do not count.</summary>
    public int MaxRequestsInFlight { get; init; } = 400;

    /// <summary>Most writing requests at once.</summary>
    public int MaxMutatingRequestsInFlight { get; init; } = 200;

    /// <summary>How many requests may wait for a place, for each of the two kinds.</summary>
    public int MaxQueuedRequests { get; init; } = 2_000;

    /// <summary>How long a request other than a watch or a stream may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Shortest duration of a watch that names none; the actual one is up to twice as long.</summary>
    public TimeSpan MinWatchDuration { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Time between bookmarks of a watch that asked for them.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Most changes of one resource kept for watches that resume.</summary>
    public int WatchHistoryEvents { get; init; } = 2_048;

    /// <summary>Most bytes of objects kept for watches that resume, a resource.</summary>
    public int WatchHistoryBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Most changes that wait for one slow watcher before its watch is ended.</summary>
    public int WatchQueueLength { get; init; } = 1_024;

    /// <summary>How long events stay in the store.</summary>
    public TimeSpan EventTtl { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a consistent read waits for the cache before it reads the store.</summary>
    public TimeSpan CacheFreshnessTimeout { get; init; } = TimeSpan.FromSeconds(3);
}

namespace Podhost.Runtime.Images.Registry;

/// <summary>How registries are reached.</summary>
public sealed record RegistryOptions
{
    /// <summary>Registries ("host" or "host:port") spoken to in plain HTTP. Loopback addresses always are, except on port 443.</summary>
    public IReadOnlySet<string> InsecureRegistries { get; init; } = new HashSet<string>();

    /// <summary>
    /// Base URLs that are asked before a registry, by its domain ("docker.io" → "https://mirror.example"). Credentials of a pull do
    /// not go to them.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Mirrors { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>
    /// Directories of certificates, by the host ("host" or "host:port") of a registry or mirror: <c>ca.crt</c>, trusted beside the
    /// machine's own, and <c>client.cert</c> with <c>client.key</c>, all in PEM, each where it is there. Such a host is spoken to in HTTPS.
    /// </summary>
    public IReadOnlyDictionary<string, string> Certificates { get; init; } = new Dictionary<string, string>();

    /// <summary>Attempts of a request or a download that makes no progress.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>The first pause between attempts; each doubles it up to <see cref="MaxBackOff"/>, half of it at random.</summary>
    public TimeSpan BackOff { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause, also where a registry's Retry-After asks for more.</summary>
    public TimeSpan MaxBackOff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait for a response, and for the next bytes of a body.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);
}

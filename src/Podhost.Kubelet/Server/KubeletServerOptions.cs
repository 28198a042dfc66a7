using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Podhost.Kubelet.Server;

/// <summary>Settings of the kubelet's HTTPS API.</summary>
public sealed record KubeletServerOptions
{
    /// <summary>Where it listens (KubeletConfiguration address and port).</summary>
    public IPEndPoint Endpoint { get; init; } = new(IPAddress.Any, 10250);

    /// <summary>healthzPort: plain HTTP, /healthz alone; null for none.</summary>
    public IPEndPoint? HealthzEndpoint { get; init; }

    /// <summary>Name of the node.</summary>
    public required string NodeName { get; init; }

    /// <summary>Serving certificate with its key, asked for at each handshake, so that it may be renewed; null as long as there is none.</summary>
    public Func<X509Certificate2?>? Certificate { get; init; }

    /// <summary>Requests without credentials are those of system:anonymous; else they are refused.</summary>
    public bool Anonymous { get; init; }

    /// <summary>Plain HTTP, read only, nobody is asked who he is: /healthz, /pods, /stats/summary, /metrics; null: none.</summary>
    public IPEndPoint? ReadOnlyEndpoint { get; init; }

    /// <summary>Authorities whose client certificates are accepted: the common name is the user, organizations are the groups.</summary>
    public IReadOnlyList<X509Certificate2> ClientAuthorities { get; init; } = [];

    /// <summary>The configuration that /configz shows, a KubeletConfiguration.</summary>
    public JsonObject Configuration { get; init; } = [];

    /// <summary>Directory whose file system is shown as the node's in /stats/summary.</summary>
    public string RootDirectory { get; init; } = "/";

    /// <summary>Directory of the pods' logs, which /stats/summary measures; null: it tells of none.</summary>
    public string? LogsDirectory { get; init; }

    /// <summary>
    /// WebSocket sessions reach the runtime's streaming server as SPDY. For runtimes whose server does not know the newest WebSocket
    /// protocols; without it their bytes pass as they are.
    /// </summary>
    public bool TranslateWebSockets { get; init; }
}

/// <summary>Who asks.</summary>
/// <param name="Name">User name; <c>system:anonymous</c> without credentials.</param>
/// <param name="Groups">Groups.</param>
public sealed record KubeletUser(string Name, IReadOnlyList<string> Groups)
{
    /// <summary>A client without credentials.</summary>
    public static KubeletUser Anonymous { get; } = new("system:anonymous", ["system:unauthenticated"]);
}

/// <summary>What a request wants, in the terms of authorization: the node is the object.</summary>
/// <param name="User">Who asks.</param>
/// <param name="Verb">get, create, …</param>
/// <param name="Subresource">Of <c>nodes</c>: proxy, stats, metrics, log, pods, healthz, configz.</param>
/// <param name="NodeName">Name of the node.</param>
public sealed record KubeletAccess(KubeletUser User, string Verb, string Subresource, string NodeName);

/// <summary>Decides whether a request is allowed: a SubjectAccessReview, or the rules of a server in the same process.</summary>
public delegate Task<bool> KubeletAuthorizer(KubeletAccess access, CancellationToken cancellationToken);

/// <summary>Finds the user of a bearer token: a TokenReview. Null for a token that is not valid.</summary>
public delegate Task<KubeletUser?> KubeletTokenAuthenticator(string token, CancellationToken cancellationToken);

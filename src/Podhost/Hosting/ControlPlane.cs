using System.Net;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Admission.Certificates;
using Podhost.ApiServer.Admission.Limits;
using Podhost.ApiServer.Admission.Plugins;
using Podhost.ApiServer.Admission.PodSecurity;
using Podhost.ApiServer.Admission.Quota;
using Podhost.ApiServer.Admission.Storage;
using Podhost.ApiServer.Admission.Webhooks;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Hosting;
using Podhost.ApiServer.Pki;
using Podhost.ApiServer.ServiceAccounts;
using Podhost.ApiServer.Streaming;
using Podhost.ApiServer.WatchCache;
using Podhost.Client;
using Podhost.Configuration;
using Podhost.Storage;
using Podhost.Storage.Compaction;
using Podhost.Storage.Contract;
using Server = Podhost.ApiServer.Hosting.ApiServer;

namespace Podhost.Hosting;

/// <summary>The control plane of an instance without its controllers: certificates, store and API server.</summary>
internal sealed class ControlPlane : IAsyncDisposable
{
    private readonly IStore _store;
    private readonly KubeletConnector _kubelets;
    private readonly Server _server;
    private readonly ILoggerFactory _logs;
    private readonly TimeProvider _time;
    private readonly TokenCodec _tokens;
    private readonly TokenFile? _tokenFile;

    private ControlPlane(
        PodhostOptions options, ClusterPki pki, IStore store, BootstrapPolicy policy, IReadOnlyList<IPAddress> nodeAddresses, TimeProvider time, ILoggerFactory logs)
    {
        Pki = pki;
        _store = store;
        _time = time;
        _logs = logs;
        NodeAddresses = nodeAddresses;
        ServiceAddresses = new ServiceAddressesPlugin(options.ServiceCidrs);
        _tokens = new TokenCodec(pki.ServiceAccountKey, $"https://kubernetes.default.svc.{options.ClusterDomain}");
        _tokenFile = ReadTokenFile(options.TokenAuthFile, [_tokens.Issuer]);
        _kubelets = new KubeletConnector(pki.KubeletClient, pki.Authority, time);
        _server = new Server(ServerOptions(options), Dependencies(options, policy));
    }

    public ClusterPki Pki { get; }

    /// <summary>Addresses of the machine, at most one of each family.</summary>
    public IReadOnlyList<IPAddress> NodeAddresses { get; }

    public ServiceAddressesPlugin ServiceAddresses { get; }

    /// <summary>Opens the store, makes missing certificates and starts to serve; returns when the API is ready.</summary>
    public static async Task<ControlPlane> StartAsync(PodhostOptions options, IReadOnlyList<IPAddress> nodeAddresses, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.DataDir);
        var pki = ClusterPki.LoadOrCreate(
            new ClusterPkiOptions
            {
                Directory = Path.Combine(options.DataDir, "pki"),
                ServerNames = [options.NodeName],
                ServerAddresses = [.. nodeAddresses, .. options.ServiceCidrs.Select(range => new ServiceRange(range).ApiServerAddress), .. BoundAddress(options)],
                ClusterDomain = options.ClusterDomain,
            },
            time);
        pki.WriteAdminKubeconfig(options.AdminKubeconfig, options.ServerUrl.GetLeftPart(UriPartial.Authority));
        var store = await StoreFactory.OpenAsync(options.StoreSpec, new StoreFactoryOptions { Time = time, Loggers = logs }, cancellationToken);
        var policy = BootstrapPolicy.Load();
        var plane = new ControlPlane(options, pki, store, policy, nodeAddresses, time, logs);
        try
        {
            await plane._server.StartAsync(cancellationToken);
            await plane._server.Ready.WaitAsync(cancellationToken);
            using var administrator = new HttpMessageInvoker(plane._server.CreateInProcessHandler(new UserInfo("system:apiserver", [UserInfo.Masters, UserInfo.Authenticated])));
            await BootstrapObjects.EnsureAsync(administrator, policy, cancellationToken);
            return plane;
        }
        catch
        {
            await plane.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client under a named identity, in-process.</summary>
    public IApiClient ClientOf(string user, params string[] groups) => new ApiClient(
        new HttpMessageInvoker(_server.CreateInProcessHandler(new UserInfo(user, [.. groups, UserInfo.Authenticated]))),
        new ApiClientOptions { BaseAddress = new Uri("https://localhost"), UserAgent = user });

    /// <summary>The token that a Secret of type kubernetes.io/service-account-token holds.</summary>
    public string SecretToken(V1ServiceAccount account, V1Secret secret) => _tokens.Sign(
        new SecretTokenClaims(account.Metadata.NamespaceProperty, new BoundObject(account.Metadata.Name, account.Metadata.Uid), secret.Metadata.Name));

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10), _time);
        await _server.StopAsync(patience.Token);
        await _server.DisposeAsync();
        _kubelets.Dispose();
        await _store.DisposeAsync();
        Pki.Dispose();
    }

    private static IEnumerable<IPAddress> BoundAddress(PodhostOptions options) =>
        options.BindAddress.Equals(IPAddress.Any) || options.BindAddress.Equals(IPAddress.IPv6Any) ? [] : [options.BindAddress];

    private static TokenFile? ReadTokenFile(string? path, IReadOnlyList<string> audiences)
    {
        try
        {
            return path is null ? null : new TokenFile(File.ReadAllText(path), audiences);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ConfigurationException($"token file '{path}': {e.Message}");
        }
    }

    private ApiServerOptions ServerOptions(PodhostOptions options) => new()
    {
        BindAddress = options.BindAddress,
        SecurePort = options.SecurePort,
        ServingCertificate = Pki.ApiServer,
    };

    /// <summary>Forgets old versions of objects, on a budget, until cancelled.</summary>
    public Task CompactAsync(CancellationToken cancellationToken) =>
        new AutoCompactor(_store, new AutoCompactionOptions(), _time, _logs.CreateLogger<AutoCompactor>()).RunAsync(cancellationToken);

    private ApiServerDependencies Dependencies(PodhostOptions options, BootstrapPolicy policy)
    {
        string[] audiences = [_tokens.Issuer];
        RbacAuthorizer? rbac = null;
        RbacAuthorizer Rbac(IObjectReader objects) => rbac ??= new RbacAuthorizer(objects);
        UnionAuthorizer Authorizer(IObjectReader objects) => new(new MastersAuthorizer(), new NodeAuthorizer(objects, policy), Rbac(objects));
        BearerTokens? tokens = null;
        BearerTokens Tokens(IObjectReader objects) => tokens ??= new BearerTokens(
            [.. _tokenFile is { } fixedTokens ? [fixedTokens] : Array.Empty<ITokenReviewer>(), new ServiceAccountTokens(_tokens, audiences, objects, _time), new BootstrapTokens(audiences, objects, _time)]);
        return new ApiServerDependencies
        {
            Store = _store,
            Tokens = _tokens,
            Time = _time,
            Logs = _logs,
            Authenticator = objects => new UnionAuthenticator(new ClientCertificateAuthenticator(Pki.Authority, _time), Tokens(objects)),
            Authorizer = Authorizer,
            AdmissionPlugins = objects => [new RbacEscalationPlugin(Rbac(objects), Rbac(objects)), .. Plugins(options, Authorizer(objects), objects)],
            ReviewHandlers = (objects, authorizer, _) =>
            [
                new AccessReviewHandler(authorizer, Rbac(objects), _time),
                new TokenReviewHandler(Tokens(objects), objects),
                new TokenRequestHandler(_tokens, audiences, objects, _time),
            ],
            PodConnector = _ => _kubelets,
        };
    }

    private IReadOnlyList<IAdmissionPlugin> Plugins(PodhostOptions options, IAuthorizer authorizer, IObjectReader objects) =>
    // Upstream's order. What validates last of these is the quota: only what all others let through takes room.
    [
        new LimitRangerPlugin(),
        new ServiceAccountPlugin(_time),
        new NodeRestrictionPlugin(),
        new PodSecurityPlugin(options.PodSecurity, _logs.CreateLogger<PodSecurityPlugin>()),
        new PriorityPlugin(),
        new DefaultTolerationSecondsPlugin(),
        new DefaultStorageClassPlugin(),
        new StorageObjectInUseProtectionPlugin(),
        new RuntimeClassPlugin(),
        new CertificateSignersPlugin(authorizer),
        new MutatingWebhookPlugin(objects, _logs.CreateLogger<MutatingWebhookPlugin>()),
        new ValidatingWebhookPlugin(objects, _logs.CreateLogger<ValidatingWebhookPlugin>()),
        ServiceAddresses,
        new PodResizePlugin(),
        new ResourceQuotaPlugin(_time),
    ];
}

using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers.NamespaceDefaults;

/// <summary>
/// Gives every namespace what its pods need: the service account <c>default</c> and the ConfigMap <c>kube-root-ca.crt</c>. Either comes back when
/// it is deleted or changed. Source: upstream's serviceaccount and root-ca-certificate-publisher controllers.
/// </summary>
public sealed class NamespaceDefaultsController : IController
{
    private const string AccountName = "default";
    private const string RootCaName = "kube-root-ca.crt";
    private const string RootCaKey = "ca.crt";
    private const string RootCaAnnotation = "kubernetes.io/description";
    private const string RootCaDescription =
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

    private readonly IApiClient _client;
    private readonly IInformer<V1Namespace> _namespaces;
    private readonly IInformer<V1ServiceAccount> _accounts;
    private readonly IInformer<V1ConfigMap> _rootCas;
    private readonly string _rootCa;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Creates and repairs.</param>
    /// <param name="namespaces">All namespaces.</param>
    /// <param name="accounts">All service accounts.</param>
    /// <param name="rootCas">ConfigMaps of the name kube-root-ca.crt.</param>
    /// <param name="rootCa">PEM of the certificate authority.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public NamespaceDefaultsController(
        IApiClient client,
        IInformer<V1Namespace> namespaces,
        IInformer<V1ServiceAccount> accounts,
        IInformer<V1ConfigMap> rootCas,
        string rootCa,
        TimeProvider time,
        ILoggerFactory logs)
    {
        _client = client;
        _namespaces = namespaces;
        _accounts = accounts;
        _rootCas = rootCas;
        _rootCa = rootCa;
        _time = time;
        _log = logs.CreateLogger<NamespaceDefaultsController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_namespaces.Synced, _accounts.Synced, _rootCas.Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<string>(new WorkQueueOptions(), _time, _log);
        using var namespaces = _namespaces.Subscribe(e => queue.Add(e.Object.Metadata.Name));
        using var accounts = _accounts.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted && e.Object.Metadata.Name == AccountName)
            {
                queue.Add(e.Object.Metadata.NamespaceProperty);
            }
        });
        using var rootCas = _rootCas.Subscribe(e =>
        {
            if (e.Type != WatchEventKind.Added)
            {
                queue.Add(e.Object.Metadata.NamespaceProperty);
            }
        });
        await queue.RunAsync(2, EnsureAsync, cancellationToken);
    }

    private async Task EnsureAsync(string ns, CancellationToken cancellationToken)
    {
        if (_namespaces.Get(null, ns) is not { Status.Phase: not "Terminating" })
        {
            return;
        }

        if (_accounts.Get(ns, AccountName) is null)
        {
            await CreateAsync(new V1ServiceAccount { ApiVersion = "v1", Kind = "ServiceAccount", Metadata = new V1ObjectMeta { Name = AccountName, NamespaceProperty = ns } }, cancellationToken);
        }

        var present = _rootCas.Get(ns, RootCaName);
        if (present is null)
        {
            await CreateAsync(RootCa(ns), cancellationToken);
        }
        else if (present.Data is not { Count: 1 } data || !data.TryGetValue(RootCaKey, out var pem) || pem != _rootCa)
        {
            var wanted = RootCa(ns);
            wanted.Metadata.ResourceVersion = present.Metadata.ResourceVersion;
            await _client.UpdateAsync(wanted, null, cancellationToken);
        }
    }

    private V1ConfigMap RootCa(string ns) => new()
    {
        ApiVersion = "v1",
        Kind = "ConfigMap",
        Metadata = new V1ObjectMeta
        {
            Name = RootCaName,
            NamespaceProperty = ns,
            Annotations = new Dictionary<string, string> { [RootCaAnnotation] = RootCaDescription },
        },
        Data = new Dictionary<string, string> { [RootCaKey] = _rootCa },
    };

    // Somebody was faster, or the namespace ends: both are told by the informers.
    private async Task CreateAsync<T>(T obj, CancellationToken cancellationToken) where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            await _client.CreateAsync(obj, cancellationToken);
        }
        catch (ApiException e) when (e.IsAlreadyExists || e.IsNotFound || IsTerminating(e))
        {
        }
    }

    private static bool IsTerminating(ApiException e) => e.Status.Details?.Causes?.Any(c => c.Reason == "NamespaceTerminating") == true;
}

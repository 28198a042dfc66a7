using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.CustomKinds;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Namespaces;

/// <summary>
/// Empties namespaces that are being deleted and then takes the finalizer <c>kubernetes</c> away, which lets them go.
/// Source: upstream's namespace controller.
/// </summary>
public sealed partial class NamespaceController : IController
{
    private const string Finalizer = "kubernetes";

    // Nobody tells when a finalizer's owner is done with an object of any kind, so that is looked at; the end of pods is told.
    private static readonly WorkQueueOptions Patience = new() { MinRetryDelay = TimeSpan.FromSeconds(0.25), MaxRetryDelay = TimeSpan.FromSeconds(15) };

    private readonly IApiClient _client;
    private readonly ObjectApi _objects;
    private readonly IInformer<V1Namespace> _namespaces;
    private readonly IInformer<V1Pod> _pods;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Deletes content and finalizes.</param>
    /// <param name="namespaces">All namespaces.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public NamespaceController(IApiClient client, IInformer<V1Namespace> namespaces, IInformer<V1Pod> pods, TimeProvider time, ILoggerFactory logs)
    {
        _client = client;
        _objects = new ObjectApi(client);
        _namespaces = namespaces;
        _pods = pods;
        _time = time;
        _log = logs.CreateLogger<NamespaceController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_namespaces.Synced, _pods.Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<string>(Patience, _time, _log);
        using var namespaces = _namespaces.Subscribe(e =>
        {
            // Our own status writes must not wake us: only the beginning of the deletion counts.
            if (e.Type != WatchEventKind.Deleted && IsGoing(e.Object) && (e.Previous is null || !IsGoing(e.Previous)))
            {
                queue.Add(e.Object.Metadata.Name);
            }
        });
        using var pods = _pods.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted && _namespaces.Get(null, e.Object.Metadata.NamespaceProperty) is { } ns && IsGoing(ns))
            {
                queue.Add(ns.Metadata.Name);
            }
        });
        await queue.RunAsync(4, (name, stop) => ReconcileAsync(queue, name, stop), cancellationToken);
    }

    private static bool IsGoing(V1Namespace ns) => ns.Metadata.DeletionTimestamp is not null && ns.Spec?.Finalizers?.Contains(Finalizer) == true;

    private async Task ReconcileAsync(WorkQueue<string> queue, string name, CancellationToken cancellationToken)
    {
        try
        {
            // As new as the server has it: a namespace of the same name may have been made since.
            var ns = await _client.GetAsync<V1Namespace>(null, name, cancellationToken);
            if (!IsGoing(ns))
            {
                return;
            }

            var content = await EmptyAsync(name, cancellationToken);
            if (content.IsEmpty)
            {
                await FinalizeAsync(ns, cancellationToken);
                return;
            }

            await ReportAsync(ns, content, cancellationToken);
            queue.AddAfter(name, content.Failures.Count > 0 ? TimeSpan.FromSeconds(5) : Wait(content));
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone: done.
        }
    }

    // Pods wake us when they go; other objects are waited for by looking.
    private static TimeSpan Wait(NamespaceContent content) =>
        content.Remaining.All(o => o.Resource.Plural == "pods") ? TimeSpan.FromSeconds(15) : TimeSpan.FromSeconds(1);

    private async Task<NamespaceContent> EmptyAsync(string name, CancellationToken cancellationToken)
    {
        var remaining = new List<ObjectIdentity>();
        var failures = new List<string>();

        // As the server has them now: a kind may have come a moment ago.
        var custom = await DiscoveredKinds.ReadAsync(_client, cancellationToken);
        foreach (var wave in NamespaceContent.Waves(custom))
        {
            foreach (var resource in wave)
            {
                await EmptyAsync(resource, name, remaining, failures, cancellationToken);
            }

            if (remaining.Count + failures.Count > 0)
            {
                break;
            }
        }

        return new NamespaceContent(remaining, failures);
    }

    private async Task EmptyAsync(ResourceInfo resource, string ns, List<ObjectIdentity> remaining, List<string> failures, CancellationToken cancellationToken)
    {
        try
        {
            if ((await _objects.ListAsync(resource, ns, cancellationToken)).Count == 0)
            {
                return;
            }

            await _objects.DeleteCollectionAsync(resource, ns, new V1DeleteOptions { PropagationPolicy = "Background" }, cancellationToken);
            remaining.AddRange(await _objects.ListAsync(resource, ns, cancellationToken));
        }
        catch (ApiException e)
        {
            failures.Add($"{resource.QualifiedName}: {e.Message}");
            LogFailed(resource.QualifiedName, ns, e.Message);
        }
    }

    private async Task ReportAsync(V1Namespace ns, NamespaceContent content, CancellationToken cancellationToken)
    {
        ns.Status ??= new V1NamespaceStatus();
        ns.Status.Phase = "Terminating";
        ns.Status.Conditions = NamespaceConditions.Of(ns, content, _time.GetUtcNow().UtcDateTime);
        try
        {
            await _client.UpdateAsync(ns, "status", cancellationToken);
        }
        catch (ApiException e) when (e.IsConflict)
        {
            // Somebody wrote it meanwhile; the next pass reports again.
        }
    }

    private async Task FinalizeAsync(V1Namespace ns, CancellationToken cancellationToken)
    {
        ns.Spec.Finalizers = [.. ns.Spec.Finalizers.Where(f => f != Finalizer)];
        await _client.UpdateAsync(ns, "finalize", cancellationToken);
        LogFinalized(ns.Metadata.Name);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "namespace {Namespace} is empty and finalized")]
    private partial void LogFinalized(string @namespace);

    [LoggerMessage(Level = LogLevel.Warning, Message = "could not delete {Resource} of namespace {Namespace}: {Error}")]
    private partial void LogFailed(string resource, string @namespace, string error);
}

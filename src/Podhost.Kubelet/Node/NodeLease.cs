using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;

namespace Podhost.Kubelet.Node;

/// <summary>The node's heartbeat: a Lease in kube-node-lease, renewed at a quarter of its duration.</summary>
internal sealed partial class NodeLease(string nodeName, TimeSpan duration, IApiClient client, Task<V1Node> node, TimeProvider time, ILogger logger)
{
    private const string Namespace = "kube-node-lease";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Renews until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var owner = await node.WaitAsync(cancellationToken).ConfigureAwait(false);
        V1Lease? lease = null;
        while (true)
        {
            var wait = duration / 4;
            try
            {
                lease = lease is null
                    ? await EnsureAsync(owner, cancellationToken).ConfigureAwait(false)
                    : await client.UpdateAsync(Renewed(lease), null, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                // Whatever went wrong, the next try begins from what the server has.
                LogFailed(logger, e.Message);
                lease = null;
                wait = RetryAfter;
            }

            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<V1Lease> EnsureAsync(V1Node owner, CancellationToken cancellationToken)
    {
        try
        {
            var present = await client.GetAsync<V1Lease>(Namespace, nodeName, cancellationToken).ConfigureAwait(false);
            return await client.UpdateAsync(Renewed(present), null, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            var lease = new V1Lease
            {
                ApiVersion = "coordination.k8s.io/v1",
                Kind = "Lease",
                Metadata = new V1ObjectMeta
                {
                    Name = nodeName,
                    NamespaceProperty = Namespace,
                    OwnerReferences = [new V1OwnerReference { ApiVersion = "v1", Kind = "Node", Name = nodeName, Uid = owner.Metadata.Uid }],
                },
                Spec = new V1LeaseSpec(),
            };
            return await client.CreateAsync(Renewed(lease), cancellationToken).ConfigureAwait(false);
        }
    }

    private V1Lease Renewed(V1Lease lease)
    {
        lease.Spec ??= new V1LeaseSpec();

        // Left out, the server keeps them; an update has nothing to say about them.
        lease.Metadata.ManagedFields = null;
        lease.Spec.HolderIdentity = nodeName;
        lease.Spec.LeaseDurationSeconds = (int)duration.TotalSeconds;
        lease.Spec.RenewTime = time.GetUtcNow().UtcDateTime;
        return lease;
    }

    [LoggerMessage(1, LogLevel.Warning, "Renewing the node's lease failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string error);
}

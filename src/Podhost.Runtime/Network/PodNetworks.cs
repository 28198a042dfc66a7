using Podhost.Cri.V1;
using Podhost.Runtime.Network.Cni;

namespace Podhost.Runtime.Network;

/// <summary>
/// The bridge and CNI together: new pods are connected by the one that is configured, and each pod is disconnected by the one that
/// connected it, so that the choice can change between two starts.
/// </summary>
/// <param name="bridge">The built-in network.</param>
/// <param name="cni">The plugins' network.</param>
/// <param name="useCni">New pods are the plugins'.</param>
internal sealed class PodNetworks(BridgeNetwork bridge, CniNetwork cni, bool useCni) : IPodNetwork, IDisposable
{
    private bool _bridgeIsPrepared;

    public string? Problem => useCni ? cni.Problem : bridge.Problem;

    public Task<string?> AskProblemAsync(CancellationToken cancellationToken) => useCni ? cni.AskProblemAsync(cancellationToken) : Task.FromResult(bridge.Problem);

    public async Task PrepareAsync(IReadOnlyList<ExistingAttachment> existing, CancellationToken cancellationToken)
    {
        var ofBridge = existing.Where(attachment => !cni.Has(attachment.SandboxId)).ToList();
        if (!useCni || ofBridge.Count > 0)
        {
            await bridge.PrepareAsync(ofBridge, cancellationToken);
            _bridgeIsPrepared = bridge.Problem is null;
        }

        await cni.PrepareAsync([.. existing.Where(attachment => cni.Has(attachment.SandboxId))], cancellationToken);
        if (useCni)
        {
            await cni.CollectGarbageAsync([.. existing.Select(attachment => attachment.SandboxId).Where(cni.Has)], cancellationToken);
        }
    }

    public Task<IReadOnlyList<string>> SetUpAsync(PodNetworkRequest request, CancellationToken cancellationToken) =>
        useCni ? cni.SetUpAsync(request, cancellationToken) : bridge.SetUpAsync(request, cancellationToken);

    public Task TearDownAsync(string sandboxId, CancellationToken cancellationToken) =>
        cni.Has(sandboxId) ? cni.TearDownAsync(sandboxId, cancellationToken) : bridge.TearDownAsync(sandboxId, cancellationToken);

    public IReadOnlyList<string> Attachments() => [.. cni.Attachments(), .. _bridgeIsPrepared ? bridge.Attachments() : []];

    public NetworkInterfaceUsage? Usage(string sandboxId) => cni.Has(sandboxId) ? cni.Usage(sandboxId) : bridge.Usage(sandboxId);

    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await cni.RemoveAsync(cancellationToken);
        await bridge.RemoveAsync(cancellationToken);
    }

    public void Dispose() => bridge.Dispose();
}

using System.Globalization;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Network.Cni;

/// <summary>The network of pods by CNI plugins. The configuration is read when a pod is connected: a new one is used by new pods.</summary>
internal sealed partial class CniNetwork(EmbeddedRuntimeOptions options, RuntimePaths paths, CniPlugins plugins, ILogger<CniNetwork> logger) : IPodNetwork
{
    private const string InterfaceName = "eth0";
    private readonly CniChain _chain = new(plugins);
    private readonly RecordStore<CniAttachment> _store = new(paths.CniAttachments, CniJson.Default.CniAttachment);

    /// <summary>Asked about often: the directory is listed each time, since a file in it is all that says that the network came or went.</summary>
    public string? Problem
    {
        get
        {
            try
            {
                return CniDirectory.Load(options.CniConfDirectory!) is null ? $"no network configuration in {options.CniConfDirectory}" : null;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FormatException)
            {
                return failure.Message;
            }
        }
    }

    public async Task<string?> AskProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            var network = CniDirectory.Load(options.CniConfDirectory!);
            if (network is { HasStatus: true })
            {
                await _chain.StatusAsync(network, cancellationToken);
            }

            return network is null ? Problem : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FormatException)
        {
            return failure.Message;
        }
    }

    /// <summary>Lets the plugins forget attachments that a lost record or a lost disk of ours left with them. A failure is for the operator.</summary>
    /// <param name="valid">The sandboxes that are connected.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task CollectGarbageAsync(IReadOnlyList<string> valid, CancellationToken cancellationToken)
    {
        try
        {
            if (CniDirectory.Load(options.CniConfDirectory!) is { HasGc: true } network)
            {
                await _chain.CollectGarbageAsync(network, valid.Select(id => (id, InterfaceName)), cancellationToken);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FormatException)
        {
            LogCollectionFailed(failure.Message);
        }
    }

    /// <summary>Looks whether the plugins still find what they made. A failure is for the operator: the pods go on.</summary>
    public async Task PrepareAsync(IReadOnlyList<ExistingAttachment> existing, CancellationToken cancellationToken)
    {
        foreach (var attachment in existing.Select(each => Find(each.SandboxId)).OfType<CniAttachment>())
        {
            var network = CniConfiguration.Parse(attachment.Configuration);
            if (!network.HasCheck || attachment.Result is null || !Path.Exists(attachment.NamespacePath))
            {
                continue;
            }

            try
            {
                await _chain.CheckAsync(network, Target(attachment), Object(attachment.Capabilities), Object(attachment.Result), cancellationToken);
            }
            catch (CniException failure)
            {
                LogCheckFailed(attachment.SandboxId, failure.Message);
            }
        }
    }

    public async Task<IReadOnlyList<string>> SetUpAsync(PodNetworkRequest request, CancellationToken cancellationToken)
    {
        var network = Load();
        Validate(network);
        var attachment = new CniAttachment
        {
            SandboxId = request.SandboxId,
            NamespacePath = request.NamespacePath,
            Arguments = Arguments(request),
            Configuration = network.Serialize(),
            Capabilities = CniCapabilities.Of(network, request.Config, options.PodCidrs).ToJsonString(),
        };
        _store.Save(attachment.SandboxId, attachment, durable: true);
        try
        {
            var result = await _chain.AddAsync(network, Target(attachment), Object(attachment.Capabilities), cancellationToken);
            _store.Save(attachment.SandboxId, attachment with { Result = result.ToJsonString() }, durable: true);
            return CniResult.Parse(result).Addresses;
        }
        catch (Exception failure) when (failure is CniException or FormatException)
        {
            // The sandbox is taken away now, with a DEL.
            throw new RpcException(new Status(StatusCode.Unknown, $"failed to setup network for sandbox \"{request.SandboxId}\": {failure.Message}"));
        }
    }

    public async Task TearDownAsync(string sandboxId, CancellationToken cancellationToken)
    {
        if (Find(sandboxId) is not { } attachment)
        {
            return;
        }

        var target = Target(attachment);
        // After a reboot, or where the namespace was taken away: what lies elsewhere (addresses, rules) still goes.
        target = Path.Exists(target.NamespacePath) ? target : target with { NamespacePath = "" };
        var previous = attachment.Result is null ? null : Object(attachment.Result);
        try
        {
            await _chain.DeleteAsync(CniConfiguration.Parse(attachment.Configuration), target, Object(attachment.Capabilities), previous, cancellationToken);
        }
        catch (CniException failure)
        {
            throw new RpcException(new Status(StatusCode.Unknown, $"failed to destroy network for sandbox \"{sandboxId}\": {failure.Message}"));
        }

        _store.Delete(sandboxId);
    }

    public IReadOnlyList<string> Attachments() =>
        [.. Directory.EnumerateFiles(paths.CniAttachments, "*.json").Select(file => Path.GetFileNameWithoutExtension(file))];

    /// <summary>This network connected the sandbox.</summary>
    internal bool Has(string sandboxId) => File.Exists(Path.Combine(paths.CniAttachments, sandboxId + ".json"));

    public NetworkInterfaceUsage? Usage(string sandboxId) =>
        Find(sandboxId)?.Result is { } result && CniResult.Parse(Object(result)).HostInterface is { } device ? InterfaceCounters.SeenFromPod(InterfaceName, device) : null;

    // Bridges and base chains are the plugins': they may serve others.
    public Task RemoveAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static CniTarget Target(CniAttachment attachment) => new(attachment.SandboxId, attachment.NamespacePath, InterfaceName, attachment.Arguments);

    private static JsonObject Object(string json) => (JsonObject)JsonNode.Parse(json)!;

    // As containerd and CRI-O give them. Names of Kubernetes objects have neither '=' nor ';'.
    private static string Arguments(PodNetworkRequest request) => string.Create(
        CultureInfo.InvariantCulture,
        $"IgnoreUnknown=1;K8S_POD_NAMESPACE={request.Config.Metadata.Namespace};K8S_POD_NAME={request.Config.Metadata.Name};K8S_POD_INFRA_CONTAINER_ID={request.SandboxId};K8S_POD_UID={request.Config.Metadata.Uid}");

    private CniConfiguration Load()
    {
        try
        {
            return CniDirectory.Load(options.CniConfDirectory!) ?? throw new FormatException($"no network configuration in {options.CniConfDirectory}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, $"the pod network is not ready: {failure.Message}"));
        }
    }

    // Before anything is recorded: what has no program could not be disconnected either.
    private void Validate(CniConfiguration network)
    {
        try
        {
            foreach (var plugin in network.Plugins)
            {
                _ = plugins.Find(plugin);
            }
        }
        catch (CniException failure)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, $"the pod network \"{network.Name}\" is not ready: {failure.Message}"));
        }
    }

    private CniAttachment? Find(string sandboxId) => Has(sandboxId) ? _store.Read(sandboxId) : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The CNI plugins did not clean up after attachments that are gone: {Why}")]
    private partial void LogCollectionFailed(string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The network of sandbox {Id} is not as it was made: {Why}")]
    private partial void LogCheckFailed(string id, string why);
}

using System.Text.Json.Nodes;
using Grpc.Core;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Hosting;

namespace Podhost.Kubelet.Node;

/// <summary>The node's object in the API: registration, status on change and every few minutes.</summary>
internal sealed partial class NodeAgent(
    KubeletOptions options, NodeInventory inventory, IApiClient client, IRuntimeService runtime, IImageService images, Func<IReadOnlyCollection<string>> pressures, IEventRecorder events, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadyRetry = TimeSpan.FromMilliseconds(200);
    private readonly TaskCompletionSource<V1Node> registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private string runtimeVersion = "";
    private V1NodeStatus? written;
    private DateTimeOffset writtenAt;
    private ulong writtenVersion;
    private V1Node? foreign;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The node as it was registered; for owner references.</summary>
    public Task<V1Node> Registered => registered.Task;

    /// <summary>Registers the node and keeps its status until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var node = await RegisterAsync(cancellationToken).ConfigureAwait(false);
        written = node.Status;
        registered.TrySetResult(node);
        events.Record(Reference(), "Normal", "Starting", "Starting kubelet.");
        while (true)
        {
            var ready = await ReportAsync(cancellationToken).ConfigureAwait(false);
            await PauseAsync(ready ? options.NodeStatusUpdateFrequency : ReadyRetry, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The node as the API has it now. Conditions of this kubelet that somebody else wrote are written again at once, and what somebody gave the node is told to pods at once.</summary>
    public void Observe(V1Node? node)
    {
        lock (gate)
        {
            if (node is null || written is null || VersionOf(node) <= writtenVersion || NodeStatusRules.HasConditionsOf(node.Status, written) && NodeStatusRules.GivesAsMuchAs(node.Status, written))
            {
                return;
            }

            foreign = node;
            changed.TrySetResult();
        }
    }

    /// <summary>Looks at the node at once: what the status says has changed.</summary>
    public void Wake()
    {
        lock (gate)
        {
            changed.TrySetResult();
        }
    }

    private async Task PauseAsync(TimeSpan longest, CancellationToken cancellationToken)
    {
        Task other;
        lock (gate)
        {
            other = changed.Task;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(other, Task.Delay(longest, time, ending.Token)).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>What the next status is compared with: the last that was written, or what somebody made of it.</summary>
    private V1NodeStatus? TakePresent()
    {
        lock (gate)
        {
            if (changed.Task.IsCompleted)
            {
                changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            if (foreign is not { } node)
            {
                return written;
            }

            foreign = null;
            return VersionOf(node) <= writtenVersion ? written : node.Status;
        }
    }

    // resourceVersions of one kind are numbers that grow.
    private static ulong VersionOf(V1Node node) => ulong.TryParse(node.Metadata.ResourceVersion, out var version) ? version : 0;

    private async Task<V1Node> RegisterAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await TryRegisterAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                LogFailed(logger, "Registering the node", e.Message);
                await Task.Delay(RetryAfter, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<V1Node> TryRegisterAsync(CancellationToken cancellationToken)
    {
        var facts = await LookAsync(cancellationToken).ConfigureAwait(false);
        var node = new V1Node
        {
            ApiVersion = "v1",
            Kind = "Node",
            Metadata = new V1ObjectMeta { Name = options.NodeName, Labels = Labels() },
            Spec = new V1NodeSpec(),
            Status = NodeStatusRules.Build(options, inventory, facts, pressures(), null, time.GetUtcNow()),
        };
        try
        {
            return await client.CreateAsync(node, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            return await RefreshLabelsAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<V1Node> RefreshLabelsAsync(CancellationToken cancellationToken)
    {
        var labels = new JsonObject();
        foreach (var (key, value) in Labels())
        {
            labels[key] = value;
        }

        var patch = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = labels } };
        return await client.PatchAsync<V1Node>(null, options.NodeName, PatchKind.Strategic, patch, null, cancellationToken).ConfigureAwait(false);
    }

    private Dictionary<string, string> Labels() => new(options.NodeLabels, StringComparer.Ordinal)
    {
        ["kubernetes.io/hostname"] = options.NodeName,
        ["kubernetes.io/os"] = "linux",
        ["kubernetes.io/arch"] = NodeInventory.Architecture,
        ["beta.kubernetes.io/os"] = "linux",
        ["beta.kubernetes.io/arch"] = NodeInventory.Architecture,
    };

    /// <summary>Writes the status where it changed or is old. True where the node is ready and nothing failed.</summary>
    private async Task<bool> ReportAsync(CancellationToken cancellationToken)
    {
        var facts = await LookAsync(cancellationToken).ConfigureAwait(false);
        var now = time.GetUtcNow();
        var present = TakePresent();
        var status = NodeStatusRules.Build(options, inventory, facts, pressures(), present, now);
        var ready = IsReady(status);
        if (present is not null && writtenAt + options.NodeStatusReportFrequency > now && NodeStatusRules.Same(present, status))
        {
            return ready;
        }

        V1Node answer;
        try
        {
            answer = await client.PatchAsync<V1Node>(null, options.NodeName, PatchKind.Strategic, Patch(status, present), "status", cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            await RegisterAsync(cancellationToken).ConfigureAwait(false);
            return false;
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
        {
            LogFailed(logger, "Writing the node's status", e.Message);
            writtenAt = default; // the next look writes whatever it finds
            return true;
        }

        if (ready != IsReady(present))
        {
            events.Record(Reference(), "Normal", ready ? "NodeReady" : "NodeNotReady", $"Node {options.NodeName} status is now: {(ready ? "NodeReady" : "NodeNotReady")}");
        }

        foreach (var change in NodeStatusRules.Changes(present, status))
        {
            events.Record(Reference(), "Normal", change, $"Node {options.NodeName} status is now: {change}");
        }

        lock (gate)
        {
            (written, writtenAt, writtenVersion) = (status, now, VersionOf(answer));
        }

        return ready;
    }

    private static JsonObject Patch(V1NodeStatus status, V1NodeStatus? present)
    {
        var body = ObjectCodec.ToObject(status);
        foreach (var gone in (present?.Allocatable?.Keys ?? []).Except(status.Allocatable.Keys))
        {
            body["allocatable"]![gone] = null;
        }

        if (body["addresses"] is JsonArray addresses)
        {
            addresses.Insert(0, new JsonObject { ["$patch"] = "replace" });
        }

        return new JsonObject { ["status"] = body };
    }

    private async Task<RuntimeFacts> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (runtimeVersion.Length == 0)
            {
                var version = await runtime.VersionAsync(new VersionRequest(), cancellationToken).ConfigureAwait(false);
                runtimeVersion = $"{version.RuntimeName}://{version.RuntimeVersion}";
            }

            var status = await runtime.StatusAsync(new StatusRequest(), cancellationToken).ConfigureAwait(false);
            var list = await images.ListImagesAsync(new ListImagesRequest(), cancellationToken).ConfigureAwait(false);
            return new RuntimeFacts(runtimeVersion, [.. status.Status.Conditions], [.. list.Images], [.. status.RuntimeHandlers], status.Features);
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            return new RuntimeFacts(runtimeVersion, [], [], [], null, e.Status.Detail);
        }
    }

    private static bool IsReady(V1NodeStatus? status) => status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true;

    /// <summary>The node, for events.</summary>
    public V1ObjectReference Reference() => ReferenceTo(options.NodeName, registered.Task.IsCompletedSuccessfully ? registered.Task.Result.Metadata.Uid : null);

    /// <summary>A node, for events; its name stands for a UID that is not known, as upstream's kubelet has it.</summary>
    public static V1ObjectReference ReferenceTo(string name, string? uid = null) => new() { ApiVersion = "v1", Kind = "Node", Name = name, Uid = uid ?? name };

    [LoggerMessage(1, LogLevel.Warning, "{What} failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string what, string error);
}

using System.Buffers;
using System.Text.Json;
using Grpc.Core;
using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>What pods and the node use now: the runtime's statistics beside /proc.</summary>
internal sealed class StatsSource(KubeletServerOptions options, KubeletServerServices services, TimeProvider time)
{
    private readonly SummaryReader reader = new(options, services, time);

    /// <summary>Statistics of all running containers, by pod.</summary>
    public async Task<IReadOnlyList<PodUsage>> PodsAsync(CancellationToken cancellationToken)
    {
        var containers = await services.Runtime.ListContainerStatsAsync(new ListContainerStatsRequest(), cancellationToken).ConfigureAwait(false);
        var sandboxes = await SandboxesAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            .. containers.Stats
                .GroupBy(c => c.Attributes?.Labels.GetValueOrDefault(CriLabels.PodUid, "") ?? "")
                .Where(g => g.Key.Length > 0)
                .Select(g => new PodUsage(
                    g.Key,
                    Label(g.First(), CriLabels.PodName),
                    Label(g.First(), CriLabels.PodNamespace),
                    services.Pods.FindByUid(g.Key),
                    sandboxes.GetValueOrDefault(g.Key),
                    [.. g])),
        ];
    }

    /// <summary>/stats/summary.</summary>
    public async Task<byte[]> SummaryAsync(CancellationToken cancellationToken)
    {
        var pods = await PodsAsync(cancellationToken).ConfigureAwait(false);
        var node = await reader.NodeAsync(NodeUsage.Read(), cancellationToken).ConfigureAwait(false);
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            new SummaryWriter(json, options.NodeName, time.GetUtcNow()).Write(node, [.. pods.Select(p => reader.Pod(p, cancellationToken))]);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static string Label(ContainerStats stats, string name) => stats.Attributes.Labels.GetValueOrDefault(name, "");

    private async Task<Dictionary<string, PodSandboxStats>> SandboxesAsync(CancellationToken cancellationToken)
    {
        try
        {
            var response = await services.Runtime.ListPodSandboxStatsAsync(new ListPodSandboxStatsRequest(), cancellationToken).ConfigureAwait(false);
            return response.Stats
                .Where(s => s.Attributes?.Labels.ContainsKey(CriLabels.PodUid) == true)
                .DistinctBy(s => s.Attributes.Labels[CriLabels.PodUid])
                .ToDictionary(s => s.Attributes.Labels[CriLabels.PodUid]);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
        {
            return []; // older runtimes: the pod's sum is then made of its containers
        }
    }
}

/// <summary>What a pod uses.</summary>
/// <param name="Uid">UID.</param>
/// <param name="Name">Name.</param>
/// <param name="Namespace">Namespace.</param>
/// <param name="Pod">The pod with its status, or null where the kubelet no longer knows it.</param>
/// <param name="Sandbox">Statistics of the whole, or null where the runtime gives none.</param>
/// <param name="Containers">Statistics of its running containers.</param>
internal sealed record PodUsage(string Uid, string Name, string Namespace, V1Pod? Pod, PodSandboxStats? Sandbox, IReadOnlyList<ContainerStats> Containers)
{
    /// <summary>Processor time of the pod in nanoseconds.</summary>
    public ulong CpuNanoseconds => Sandbox?.Linux?.Cpu?.UsageCoreNanoSeconds?.Value ?? Sum(c => c.Cpu?.UsageCoreNanoSeconds?.Value);

    /// <summary>Rate of it in billionths of a core.</summary>
    public ulong CpuNanoCores => Sandbox?.Linux?.Cpu?.UsageNanoCores?.Value ?? Sum(c => c.Cpu?.UsageNanoCores?.Value);

    /// <summary>Working set in bytes.</summary>
    public ulong WorkingSet => Sandbox?.Linux?.Memory?.WorkingSetBytes?.Value ?? Sum(c => c.Memory?.WorkingSetBytes?.Value);

    /// <summary>When a container started; null where its status does not say.</summary>
    public DateTime? StartedAt(string container) => StatusOf(container)?.State?.Running?.StartedAt;

    /// <summary>Swap in use in bytes.</summary>
    public ulong Swap => Sum(c => c.Swap?.SwapUsageBytes?.Value);

    /// <summary>The image of a container; null where its status does not say.</summary>
    public string? ImageOf(string container) => StatusOf(container)?.Image;

    private V1ContainerStatus? StatusOf(string container) =>
        (Pod?.Status?.ContainerStatuses ?? []).Concat(Pod?.Status?.InitContainerStatuses ?? []).Concat(Pod?.Status?.EphemeralContainerStatuses ?? [])
            .FirstOrDefault(s => s.Name == container);

    private ulong Sum(Func<ContainerStats, ulong?> value) => Containers.Aggregate(0UL, (sum, c) => sum + (value(c) ?? 0));
}

using System.Globalization;
using k8s.Models;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Processes;

namespace Podhost.Kubelet.Resources;

/// <summary>
/// The cgroup tree of pods on the machine. Values are those of <see cref="PodCgroupValues"/>; the weight of the Burstable class follows
/// the sum of its pods' requests.
/// </summary>
public sealed class PodCgroups(CgroupTree tree, ResourceOptions options, Func<NodeResources> node, TimeProvider time) : IPodCgroups
{
    private static readonly TimeSpan DeathDeadline = TimeSpan.FromSeconds(5);
    private static readonly QosClass[] Classes = [QosClass.Guaranteed, QosClass.Burstable, QosClass.BestEffort];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _burstableMilliCpu = new(StringComparer.Ordinal);
    private long _burstableShares;

    /// <inheritdoc/>
    public string ParentOf(V1Pod pod) => PodCgroupPath.OfPod(options, pod);

    /// <inheritdoc/>
    public Task EnsureRootAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            foreach (var qos in Classes)
            {
                tree.Create(PodCgroupPath.OfClass(options, qos));
            }

            if (options.EnforceNodeAllocatable)
            {
                var now = node();
                var memory = now.EnforcedMemoryBytes ?? Quantities.Value(now.AllocatableOf(ResourceNames.Memory));
                tree.Apply(PodCgroupPath.Root(options), new CgroupResources
                {
                    CpuShares = (ulong)CpuMath.Shares(Quantities.MilliValue(now.AllocatableOf(ResourceNames.Cpu))),
                    MemoryLimit = memory > 0 ? memory : null,
                });
            }

            tree.Apply(PodCgroupPath.OfClass(options, QosClass.BestEffort), new CgroupResources { CpuShares = CpuMath.MinShares });
            WeighBurstable();
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task EnsureAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var path = PodCgroupPath.OfPod(options, pod);
        tree.Create(path);
        var values = PodCgroupValues.Of(pod, options);
        CheckUsage(path, values.MemoryLimit);
        tree.Apply(path, ToCgroup(values));
        if (QosRules.Of(pod) == QosClass.Burstable)
        {
            lock (_lock)
            {
                _burstableMilliCpu[pod.Metadata.Uid] = Quantities.MilliValue(PodResources.Requests(pod).Get(ResourceNames.Cpu));
                WeighBurstable();
            }
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task WidenAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var path = PodCgroupPath.OfPod(options, pod);
        tree.Apply(path, WiderThan(new CgroupLimits(tree, path), ToCgroup(PodCgroupValues.Of(pod, options))));
        return Task.CompletedTask;
    }

    private static CgroupResources WiderThan(CgroupLimits present, CgroupResources next) => new()
    {
        CpuShares = next.CpuShares > present.CpuShares ? next.CpuShares : null,
        CpuQuota = CgroupLimits.IsMore(next.CpuQuota, present.CpuQuota) ? next.CpuQuota : null,
        CpuPeriod = CgroupLimits.IsMore(next.CpuQuota, present.CpuQuota) ? next.CpuPeriod : null,
        MemoryLimit = CgroupLimits.IsMore(next.MemoryLimit, present.MemoryLimit) ? next.MemoryLimit : null,
    };

    /// <inheritdoc/>
    public async Task RemoveAsync(string podUid, CancellationToken cancellationToken)
    {
        foreach (var path in Classes.Select(qos => $"{PodCgroupPath.OfClass(options, qos)}/{PodCgroupPath.NameOf(podUid)}"))
        {
            if (!tree.TryRemove(path))
            {
                await KillAsync(path, cancellationToken).ConfigureAwait(false);
                if (!tree.TryRemove(path))
                {
                    throw new IOException($"cgroup {path} is still in use by processes {string.Join(", ", tree.Processes(path))}");
                }
            }
        }

        lock (_lock)
        {
            if (_burstableMilliCpu.Remove(podUid))
            {
                WeighBurstable();
            }
        }
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> PodsInCgroups() =>
        [.. Classes.SelectMany(qos => tree.Children(PodCgroupPath.OfClass(options, qos)))
            .Select(PodCgroupPath.UidOf).OfType<string>().Distinct(StringComparer.Ordinal)];

    /// <summary>A limit below what the pod uses would have the kernel kill something of it.</summary>
    private void CheckUsage(string path, long? limit)
    {
        var (now, used) = tree.IsV2 ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes");
        if (limit is > 0 and var next
            && long.TryParse(tree.Read("memory", path, used), CultureInfo.InvariantCulture, out var all) && all - Reclaimable(path) is var usage && usage > next
            && !(long.TryParse(tree.Read("memory", path, now), CultureInfo.InvariantCulture, out var present) && present <= next))
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"cannot decrease memory limits: attempting to set pod memory limit ({next}) below current usage ({usage})"));
        }
    }

    /// <summary>Bytes of files that the kernel gives up without hurting anybody.</summary>
    private long Reclaimable(string path)
    {
        var name = tree.IsV2 ? "inactive_file " : "total_inactive_file ";
        var line = tree.Read("memory", path, "memory.stat")?.Split('\n').FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.TryParse(line?[name.Length..], CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;
    }

    /// <summary>Kills what a runtime left behind and waits until it is gone.</summary>
    private async Task KillAsync(string path, CancellationToken cancellationToken)
    {
        var left = tree.Processes(path);
        tree.Kill(path);
        using var deadline = new CancellationTokenSource(DeathDeadline, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        foreach (var pid in left)
        {
            using var process = PidFd.Open(pid);
            try
            {
                await (process?.WaitForExitAsync(both.Token) ?? Task.CompletedTask).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private void WeighBurstable()
    {
        var shares = CpuMath.Shares(_burstableMilliCpu.Values.Sum());
        var path = PodCgroupPath.OfClass(options, QosClass.Burstable);
        if (shares != _burstableShares && tree.Exists(path))
        {
            tree.Apply(path, new CgroupResources { CpuShares = (ulong)shares });
            _burstableShares = shares;
        }
    }

    private static CgroupResources ToCgroup(LinuxResources values) => new()
    {
        CpuShares = (ulong?)values.CpuShares,
        CpuQuota = values.CpuQuota,
        CpuPeriod = (ulong?)values.CpuPeriod,
        MemoryLimit = values.MemoryLimit,
        PidsLimit = values.PidsLimit,
        HugepageLimits = values.HugePages.ToDictionary(h => h.Key, h => (ulong)h.Value),
        Unified = values.Unified,
    };
}

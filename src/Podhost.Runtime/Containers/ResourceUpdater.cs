using System.Globalization;
using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Runtime.Spec;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Containers;

/// <summary>Changes the limits of containers by their cgroups, all or none.</summary>
internal sealed class ResourceUpdater(RuntimeContext context)
{
    internal async Task UpdateAsync(string id, LinuxContainerResources? wanted, CancellationToken cancellationToken)
    {
        var container = context.State.GetContainer(id);
        if (wanted is null)
        {
            return;
        }

        await container.Gate.WaitAsync(cancellationToken);
        try
        {
            Update(container, wanted);
        }
        finally
        {
            container.Gate.Release();
        }
    }

    /// <summary>CRI's numbers as a cgroup's: zero and empty mean unset. Pure.</summary>
    internal static CgroupResources Convert(LinuxContainerResources resources, HostFacts? host = null) => new()
    {
        CpuShares = resources.CpuShares > 0 ? (ulong)resources.CpuShares : null,
        CpuQuota = resources.CpuQuota != 0 ? resources.CpuQuota : null,
        CpuPeriod = resources.CpuPeriod > 0 ? (ulong)resources.CpuPeriod : null,
        CpusetCpus = resources.CpusetCpus.Length > 0 ? resources.CpusetCpus : null,
        CpusetMems = resources.CpusetMems.Length > 0 ? resources.CpusetMems : null,
        MemoryLimit = resources.MemoryLimitInBytes != 0 ? resources.MemoryLimitInBytes : null,
        MemorySwapLimit = resources.MemorySwapLimitInBytes != 0 && (host?.HasSwapAccounting ?? true) ? resources.MemorySwapLimitInBytes : null,
        HugepageLimits = resources.HugepageLimits.Where(limit => host is null || host.Controllers.Contains("hugetlb"))
            .ToDictionary(limit => limit.PageSize, limit => limit.Limit),
        Unified = new Dictionary<string, string>(resources.Unified),
    };

    private void Update(State.Container container, LinuxContainerResources wanted)
    {
        var record = container.Record;
        if (record.Phase is not (ContainerPhase.Created or ContainerPhase.Running))
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"container {record.Id} is {record.Phase}"));
        }

        var config = record.Config.Clone();
        config.Linux ??= new LinuxContainerConfig();
        var before = config.Linux.Resources ?? new LinuxContainerResources();
        config.Linux.Resources = Merge(before, wanted);
        if (record.Phase == ContainerPhase.Running)
        {
            ApplyOrRevert(record.CgroupPath, before, wanted);
        }
        else
        {
            ConfigurationFile.ReplaceResources(context.Paths.Bundle(record.Id), config.Linux.Resources, context.Host);
        }

        context.State.Save(container, record with { ConfigBytes = SandboxRecord.Pack(config) });
    }

    private void ApplyOrRevert(string cgroup, LinuxContainerResources before, LinuxContainerResources wanted)
    {
        var weight = PresentWeight(cgroup);
        try
        {
            context.Cgroups.Apply(cgroup, Convert(wanted, context.Host) with { CpuWeight = Weight(weight, before, wanted) });
        }
        catch (Exception failure) when (failure is IOException or ArgumentException)
        {
            try
            {
                context.Cgroups.Apply(cgroup, Convert(before, context.Host) with { CpuWeight = weight });
            }
            catch (IOException again)
            {
                throw new RpcException(new Status(StatusCode.Internal, $"{failure.Message}; and the old limits could not be set again: {again.Message}"));
            }

            throw new RpcException(new Status(StatusCode.Internal, failure.Message));
        }
    }

    // Only where v2 has one.
    private ulong? PresentWeight(string cgroup) =>
        context.Cgroups.IsV2 && ulong.TryParse(context.Cgroups.Read("cpu", cgroup, "cpu.weight"), NumberStyles.None, CultureInfo.InvariantCulture, out var weight) ? weight : null;

    private static ulong? Weight(ulong? present, LinuxContainerResources before, LinuxContainerResources wanted) =>
        present is { } weight && wanted.CpuShares > 0 ? CgroupFormulas.WeightLike((ulong)wanted.CpuShares, (ulong)Math.Max(0, before.CpuShares), weight) : null;

    private static LinuxContainerResources Merge(LinuxContainerResources before, LinuxContainerResources wanted)
    {
        // Protobuf's merge takes set scalars and adds to lists; limits of huge pages replace those of their size.
        var merged = before.Clone();
        merged.HugepageLimits.Clear();
        merged.MergeFrom(wanted);
        merged.HugepageLimits.Add(before.HugepageLimits.Where(old => wanted.HugepageLimits.All(limit => limit.PageSize != old.PageSize)));
        return merged;
    }
}

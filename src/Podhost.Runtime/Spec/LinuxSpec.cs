using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;

namespace Podhost.Runtime.Spec;

/// <summary>The linux part of the OCI configuration: namespaces, resources, devices, seccomp, hidden paths. Pure.</summary>
internal static class LinuxSpec
{
    internal static JsonObject Build(SpecInput input)
    {
        var context = input.Config.Linux?.SecurityContext;
        var privileged = context?.Privileged ?? false;
        var linux = new JsonObject
        {
            ["cgroupsPath"] = input.CgroupPath,
            ["namespaces"] = Namespaces(input, privileged),
            ["resources"] = Resources(input, privileged),
            ["devices"] = Devices(input, privileged),
            ["rootfsPropagation"] = RootPropagation(input),
        };
        if (!privileged)
        {
            linux["maskedPaths"] = SpecBuilder.Strings(context?.MaskedPaths ?? []);
            linux["readonlyPaths"] = SpecBuilder.Strings(context?.ReadonlyPaths ?? []);
        }

        if (input.Users is { } users)
        {
            linux["uidMappings"] = users.Uids.ToJson();
            linux["gidMappings"] = users.Gids.ToJson();
        }

        if (Seccomp(input, privileged) is { } seccomp)
        {
            linux["seccomp"] = seccomp;
        }

        return linux;
    }

    private static JsonArray Namespaces(SpecInput input, bool privileged)
    {
        var namespaces = new JsonArray(new JsonObject { ["type"] = "mount" });
        Add(namespaces, "user", input.Namespaces.User);
        Add(namespaces, "network", input.Namespaces.Network);
        Add(namespaces, "ipc", input.Namespaces.Ipc);
        Add(namespaces, "uts", input.Namespaces.Uts);
        Add(namespaces, "pid", input.Namespaces.Pid);
        if (input.Host.CgroupMode == CgroupMode.V2 && !privileged)
        {
            Add(namespaces, "cgroup", string.Empty);
        }

        return namespaces;
    }

    private static void Add(JsonArray namespaces, string type, string? path)
    {
        if (path is not null)
        {
            var entry = new JsonObject { ["type"] = type };
            if (path.Length > 0)
            {
                entry["path"] = path;
            }

            namespaces.Add((JsonNode)entry);
        }
    }

    /// <summary>The limits of the configuration's resources, without the devices.</summary>
    internal static JsonObject Limits(LinuxContainerResources asked, HostFacts host)
    {
        var resources = new JsonObject();
        if (Cpu(asked) is { Count: > 0 } cpu)
        {
            resources["cpu"] = cpu;
        }

        if (asked.MemoryLimitInBytes > 0)
        {
            var memory = new JsonObject { ["limit"] = asked.MemoryLimitInBytes };
            if (asked.MemorySwapLimitInBytes > 0 && host.HasSwapAccounting)
            {
                memory["swap"] = asked.MemorySwapLimitInBytes;
            }

            resources["memory"] = memory;
        }

        if (HugePages(asked, host) is { Count: > 0 } pages)
        {
            resources["hugepageLimits"] = pages;
        }

        if (asked.Unified.Count > 0 && host.CgroupMode == CgroupMode.V2)
        {
            resources["unified"] = new JsonObject(asked.Unified.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        }

        return resources;
    }

    private static JsonObject Resources(SpecInput input, bool privileged)
    {
        var resources = Limits(input.Config.Linux?.Resources ?? new LinuxContainerResources(), input.Host);
        resources["devices"] = DeviceRules(input, privileged);
        return resources;
    }

    private static JsonObject Cpu(LinuxContainerResources asked)
    {
        var cpu = new JsonObject();
        if (asked.CpuShares > 0)
        {
            cpu["shares"] = asked.CpuShares;
        }

        if (asked.CpuQuota != 0)
        {
            cpu["quota"] = asked.CpuQuota;
        }

        if (asked.CpuPeriod > 0)
        {
            cpu["period"] = asked.CpuPeriod;
        }

        if (asked.CpusetCpus.Length > 0)
        {
            cpu["cpus"] = asked.CpusetCpus;
        }

        if (asked.CpusetMems.Length > 0)
        {
            cpu["mems"] = asked.CpusetMems;
        }

        return cpu;
    }

    private static JsonArray HugePages(LinuxContainerResources asked, HostFacts host)
    {
        var pages = new JsonArray();
        foreach (var limit in asked.HugepageLimits)
        {
            if (host.Controllers.Contains("hugetlb"))
            {
                pages.Add((JsonNode)new JsonObject { ["pageSize"] = limit.PageSize, ["limit"] = limit.Limit });
            }
            else if (limit.Limit > 0)
            {
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"hugepages-{limit.PageSize}: the machine has no hugetlb controller"));
            }
        }

        return pages;
    }

    // Everything is forbidden first; the OCI runtime itself then allows the usual harmless devices (null, zero, tty, …).
    private static JsonArray DeviceRules(SpecInput input, bool privileged)
    {
        if (privileged)
        {
            return new JsonArray(new JsonObject { ["allow"] = true, ["access"] = "rwm" });
        }

        var rules = new JsonArray(new JsonObject { ["allow"] = false, ["access"] = "rwm" });
        foreach (var (device, node) in Asked(input))
        {
            rules.Add((JsonNode)new JsonObject
            {
                ["allow"] = true,
                ["type"] = node.Type.ToString(),
                ["major"] = node.Major,
                ["minor"] = node.Minor,
                ["access"] = device.Permissions.Length > 0 ? device.Permissions : "rwm",
            });
        }

        return rules;
    }

    private static JsonArray Devices(SpecInput input, bool privileged)
    {
        var devices = Asked(input).Select(pair => (pair.Device.ContainerPath, pair.Node))
            .Concat(privileged ? input.Host.Devices.Select(node => (node.Path, node)) : [])
            .DistinctBy(pair => pair.Item1);
        return new JsonArray([.. devices.Select(pair => (JsonNode)Node(pair.Item1, pair.Item2))]);
    }

    private static JsonObject Node(string path, HostDevice node) => new()
    {
        ["path"] = path,
        ["type"] = node.Type.ToString(),
        ["major"] = node.Major,
        ["minor"] = node.Minor,
        ["fileMode"] = node.Mode,
        ["uid"] = node.Uid,
        ["gid"] = node.Gid,
    };

    private static IEnumerable<(Device Device, HostDevice Node)> Asked(SpecInput input) => input.Config.Devices.Select(device =>
        (device, input.Host.Devices.FirstOrDefault(node => node.Path == device.HostPath)
            ?? throw new RpcException(new Status(StatusCode.InvalidArgument, $"device {device.HostPath}: no such device node"))));

    // Mount events reach a volume in the container only when they reach its root.
    private static string RootPropagation(SpecInput input) =>
        input.Config.Mounts.Any(mount => mount.Propagation == MountPropagation.PropagationBidirectional) ? "rshared"
        : input.Config.Mounts.Any(mount => mount.Propagation == MountPropagation.PropagationHostToContainer) ? "rslave"
        : "rprivate";

    private static JsonNode? Seccomp(SpecInput input, bool privileged)
    {
        var profile = input.Config.Linux?.SecurityContext?.Seccomp;
        if (privileged || profile is null || profile.ProfileType == SecurityProfile.Types.ProfileType.Unconfined)
        {
            return null;
        }

        if (profile.ProfileType == SecurityProfile.Types.ProfileType.Localhost)
        {
            return JsonNode.Parse(input.LocalSeccompProfile ?? throw new RpcException(new Status(StatusCode.InvalidArgument, $"seccomp profile {profile.LocalhostRef} was not read")));
        }

        var capabilities = Capabilities.Choose(input.Config.Linux?.SecurityContext?.Capabilities, privileged: false, input.Host.Capabilities);
        return DefaultSeccompProfile.Build(capabilities);
    }
}

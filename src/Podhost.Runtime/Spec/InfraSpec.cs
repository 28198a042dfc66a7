using System.Text.Json.Nodes;

namespace Podhost.Runtime.Spec;

/// <summary>What an infra container's OCI configuration is made from.</summary>
internal sealed record InfraSpecInput
{
    internal required string RootfsPath { get; init; }

    internal required IReadOnlyList<string> Arguments { get; init; }

    internal IReadOnlyList<string> Environment { get; init; } = [];

    internal required string CgroupPath { get; init; }

    internal required SpecNamespaces Namespaces { get; init; }

    internal uint Uid { get; init; } = InfraSpec.Nobody;

    internal uint Gid { get; init; } = InfraSpec.Nobody;

    internal int MinOomScoreAdjust { get; init; }

    /// <summary>The users of a new user namespace; null for the machine's own.</summary>
    internal UserMapping? Users { get; init; }

    /// <summary>The name of a new UTS namespace; empty where one is joined.</summary>
    internal string Hostname { get; init; } = string.Empty;

    /// <summary>Kernel parameters of the new namespaces, dots as separators.</summary>
    internal IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();
}

/// <summary>The OCI configuration of an infra container: a program that waits, with no rights. Pure.</summary>
internal static class InfraSpec
{
    /// <summary>The waiting program in the built-in infra root.</summary>
    internal const string Program = "/catatonit";

    /// <summary>User and group of the infra process, those of the usual pause image.</summary>
    internal const uint Nobody = 65535;

    private const int OomScoreAdjust = -998;

    internal static JsonObject Build(InfraSpecInput input)
    {
        var namespaces = new JsonArray(new JsonObject { ["type"] = "mount" });
        Add(namespaces, "user", input.Namespaces.User);
        Add(namespaces, "network", input.Namespaces.Network);
        Add(namespaces, "ipc", input.Namespaces.Ipc);
        Add(namespaces, "uts", input.Namespaces.Uts);
        Add(namespaces, "pid", input.Namespaces.Pid);
        var spec = new JsonObject
        {
            ["ociVersion"] = "1.0.2",
            ["process"] = Process(input),
            ["root"] = new JsonObject { ["path"] = input.RootfsPath, ["readonly"] = true },
            ["mounts"] = new JsonArray(
                Mount("/proc", "proc", "nosuid", "noexec", "nodev"),
                Mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=64k")),
            ["linux"] = new JsonObject
            {
                ["cgroupsPath"] = input.CgroupPath,
                ["namespaces"] = namespaces,
                ["resources"] = new JsonObject
                {
                    ["devices"] = new JsonArray(new JsonObject { ["allow"] = false, ["access"] = "rwm" }),
                    ["cpu"] = new JsonObject { ["shares"] = 2 },
                },
                ["maskedPaths"] = SpecBuilder.Strings(["/proc/kcore", "/proc/keys", "/proc/sched_debug"]),
                ["readonlyPaths"] = SpecBuilder.Strings(["/proc/sys", "/proc/sysrq-trigger"]),
                ["seccomp"] = DefaultSeccompProfile.Build([]),
            },
        };
        AddNewNamespaces(spec, input);
        return spec;
    }

    private static void AddNewNamespaces(JsonObject spec, InfraSpecInput input)
    {
        if (input.Hostname.Length > 0)
        {
            spec["hostname"] = input.Hostname;
        }

        var linux = spec["linux"]!.AsObject();
        if (input.Users is { } users)
        {
            linux["uidMappings"] = users.Uids.ToJson();
            linux["gidMappings"] = users.Gids.ToJson();
        }

        if (input.Sysctls.Count > 0)
        {
            linux["sysctl"] = new JsonObject(input.Sysctls.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        }
    }

    private static JsonObject Process(InfraSpecInput input) => new()
    {
        ["terminal"] = false,
        ["user"] = new JsonObject { ["uid"] = input.Uid, ["gid"] = input.Gid },
        ["args"] = SpecBuilder.Strings(input.Arguments),
        ["env"] = SpecBuilder.Strings(input.Environment),
        ["cwd"] = "/",
        ["noNewPrivileges"] = true,
        ["oomScoreAdj"] = Math.Max(OomScoreAdjust, input.MinOomScoreAdjust),
    };

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

    private static JsonObject Mount(string destination, string type, params string[] options) => new()
    {
        ["destination"] = destination,
        ["type"] = type,
        ["source"] = type,
        ["options"] = SpecBuilder.Strings(options),
    };
}

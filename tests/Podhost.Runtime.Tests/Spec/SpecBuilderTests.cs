using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Runtime.Images;
using Podhost.Runtime.Spec;

namespace Podhost.Runtime.Tests.Spec;

/// <summary>
/// Golden cases: tests/cases/runtime/spec-*/config.json is CRI's ContainerConfig, spec.json the OCI configuration that it becomes.
/// PODHOST_REWRITE_CASES=1 writes spec.json anew.
/// </summary>
public sealed class SpecBuilderTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Root(), "spec-*").Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_container_becomes_its_OCI_configuration(string name)
    {
        var directory = Path.Combine(Root(), name);
        var config = JsonParser.Default.Parse<ContainerConfig>(File.ReadAllText(Path.Combine(directory, "config.json")));
        var spec = SpecBuilder.Build(Input(config, name.EndsWith("-v2", StringComparison.Ordinal) ? CgroupMode.V2 : CgroupMode.V1));
        // The profile has a test of its own; here only whether there is one.
        if (spec["linux"]!["seccomp"] is JsonObject seccomp)
        {
            spec["linux"]!["seccomp"] = new JsonObject { ["defaultAction"] = seccomp["defaultAction"]!.DeepClone() };
        }

        var text = spec.ToJsonString(Indented) + "\n";
        var file = Path.Combine(directory, "spec.json");
        if (Environment.GetEnvironmentVariable("PODHOST_REWRITE_CASES") == "1")
        {
            File.WriteAllText(file, text);
        }

        Assert.Equal(File.ReadAllText(file), text);
    }

    [Fact]
    public void The_default_profile_allows_namespaces_only_with_the_capability()
    {
        var plain = DefaultSeccompProfile.Build([]).ToJsonString();
        var admin = DefaultSeccompProfile.Build(["CAP_SYS_ADMIN"]).ToJsonString();
        Assert.DoesNotContain("\"unshare\"", plain, StringComparison.Ordinal);
        Assert.Contains("{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}", plain, StringComparison.Ordinal);
        Assert.Contains("\"unshare\"", admin, StringComparison.Ordinal);
        Assert.DoesNotContain("\"errnoRet\":38", admin, StringComparison.Ordinal);
    }

    private static SpecInput Input(ContainerConfig config, CgroupMode mode) => new()
    {
        ContainerId = "c1",
        SandboxId = "s1",
        Config = config,
        Sandbox = new PodSandboxConfig { Metadata = new PodSandboxMetadata { Name = "pod", Namespace = "default", Uid = "u1" }, Hostname = "pod" },
        Image = new ImageConfig { Env = ["PATH=/bin", "A=image", "B=image"], Entrypoint = ["/entry"], Cmd = ["default"], WorkingDir = "/srv" },
        RootfsPath = "/rootfs",
        User = new ProcessUser(1000, 1001, [1001, 2000]),
        Host = new HostFacts
        {
            CgroupMode = mode,
            Controllers = ["cpu", "memory", "pids", "hugetlb"],
            Capabilities = 0x1ffffffffff,
            MaxOpenFiles = 1024,
            MinOomScoreAdjust = -10,
            HasSwapAccounting = true,
            Devices = [new HostDevice("/dev/fuse", 'c', 10, 229, 0x1B6, 0, 0)],
        },
        CgroupPath = "/kubepods/pod1/c1",
        Namespaces = new SpecNamespaces("/run/netns/s1", "/run/ipcns/s1", "/run/utsns/s1", string.Empty),
        SandboxFiles = new Dictionary<string, string> { ["/etc/hosts"] = "/run/s1/hosts", ["/dev/shm"] = "/run/s1/shm" },
    };

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Podhost.slnx")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the repository's root is not above the test");
        }

        return Path.Combine(directory, "tests", "cases", "runtime");
    }
}

using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Linux.Namespaces;
using Podhost.Runtime.Containers;
using Podhost.Runtime.Sandboxes;
using Podhost.Runtime.Spec;

namespace Podhost.Runtime.Tests.Spec;

public sealed class SpecPartsTests
{
    private const ulong AllButSysResource = 0x1fffeffffff;
    private static readonly UserResolver Users = new(
        "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:\nbroken\n77:x:5:6::/:\n", "root:x:0:\napp:x:1001:\nextra:x:2000:root,app\n");

    [Theory]
    [InlineData(null, null, "", "0:0:0,2000")]
    [InlineData(null, null, "app", "1000:1001:1001,2000")]
    [InlineData(null, null, "app:extra", "1000:2000:2000")]
    [InlineData(null, null, "1234", "1234:0:0")]
    [InlineData(null, null, "1234:5678", "1234:5678:5678")]
    [InlineData(null, null, "77", "5:6:6")]
    [InlineData(1000L, null, "root", "1000:1001:1001,2000")]
    [InlineData(1000L, 9L, "root:extra", "1000:9:9,2000")]
    public void Users_are_found_with_the_precedence_of_CRI(long? user, long? group, string image, string expected)
    {
        var context = new LinuxContainerSecurityContext
        {
            RunAsUser = user is { } id ? new Int64Value { Value = id } : null,
            RunAsGroup = group is { } gid ? new Int64Value { Value = gid } : null,
        };
        var found = Users.Resolve(context, image);
        Assert.Equal(expected, $"{found.Uid}:{found.Gid}:{string.Join(',', found.Groups)}");
    }

    [Fact]
    public void A_group_needs_a_user_beside_it() =>
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => Users.Resolve(new LinuxContainerSecurityContext { RunAsGroup = new Int64Value { Value = 9 } }, "app")).StatusCode);

    [Theory]
    [InlineData(null, "", "default")]
    [InlineData(null, "runtime/default", "default")]
    [InlineData(null, "unconfined", null)]
    [InlineData(null, "localhost/strict", "strict")]
    [InlineData("strict", "localhost/other", "strict")]
    [InlineData("localhost/strict", "", "strict")]
    public void AppArmor_profiles_are_named_in_either_field(string? profile, string deprecated, string? expected)
    {
#pragma warning disable CS0612 // The deprecated field is what is tested.
        var context = new LinuxContainerSecurityContext { ApparmorProfile = deprecated };
#pragma warning restore CS0612
        if (profile is not null)
        {
            context.Apparmor = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = profile };
        }

        Assert.Equal(expected, AppArmorProfiles.Choose(context, hasAppArmor: true, "default"));
        if (expected == "strict")
        {
            Assert.Equal(StatusCode.FailedPrecondition, Assert.Throws<RpcException>(() => AppArmorProfiles.Choose(context, hasAppArmor: false, null)).StatusCode);
            return;
        }

        Assert.Null(AppArmorProfiles.Choose(context, hasAppArmor: false, null));
        context.Privileged = true;
        Assert.Null(AppArmorProfiles.Choose(context, hasAppArmor: true, "default"));
    }

    [Fact]
    public void The_default_AppArmor_profile_denies_what_concerns_the_machine()
    {
        var text = DefaultAppArmorProfile.Text();
        Assert.StartsWith("profile podhost-default flags=(attach_disconnected,mediate_deleted) {\n", text, StringComparison.Ordinal);
        Assert.EndsWith("  deny mount,\n}\n", text, StringComparison.Ordinal);
        Assert.All(
            ["/proc/sys/** w", "/proc/{kcore,sysrq-trigger} rwklx", "/sys/firmware/** rwklx", "/sys/kernel/{debug,security,tracing}/** rwklx"],
            rule => Assert.Contains($"  deny {rule},\n", text, StringComparison.Ordinal));
        Assert.Contains("  signal (receive) peer=crun,\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("/sys/fs/cgroup", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Loaded_AppArmor_profiles_are_read_from_the_kernels_list() =>
        Assert.Equal(["/usr/bin/man", "a name (x)", "strict"], AppArmorProfiles.Loaded("/usr/bin/man (enforce)\na name (x) (complain)\nstrict (unconfined)\n"));

    [Fact]
    public void The_strict_policy_takes_no_groups_from_the_image()
    {
        var context = new LinuxContainerSecurityContext { SupplementalGroupsPolicy = SupplementalGroupsPolicy.Strict, SupplementalGroups = { 7 } };
        Assert.Equal([1001u, 7u], Users.Resolve(context, "app").Groups);
        Assert.Throws<RpcException>(() => Users.Resolve(null, "nobody"));
    }

    [Fact]
    public void Capabilities_start_from_the_default_set_and_ALL_means_all_that_the_machine_has()
    {
        Assert.Equal(14, Capabilities.Choose(null, false, AllButSysResource).Count);
        Assert.Equal(["CAP_NET_ADMIN"], Capabilities.Choose(new Capability { DropCapabilities = { "ALL" }, AddCapabilities = { "net_admin" } }, false, AllButSysResource));
        Assert.Equal(40, Capabilities.Choose(new Capability { AddCapabilities = { "ALL" } }, false, AllButSysResource).Count);
        Assert.Equal(39, Capabilities.Choose(new Capability { AddCapabilities = { "ALL" }, DropCapabilities = { "CAP_SYS_ADMIN" } }, false, AllButSysResource).Count);
        Assert.Equal(40, Capabilities.Choose(null, true, AllButSysResource).Count);
        Assert.DoesNotContain("CAP_KILL", Capabilities.Choose(new Capability { DropCapabilities = { "KILL" } }, false, AllButSysResource));
        Assert.Throws<RpcException>(() => Capabilities.Choose(new Capability { AddCapabilities = { "SYS_RESOURCE" } }, false, AllButSysResource));
        Assert.Throws<RpcException>(() => Capabilities.Choose(new Capability { AddCapabilities = { "MAGIC" } }, false, AllButSysResource));
    }

    [Theory]
    [InlineData(Signal.RuntimeDefault, "", 15)]
    [InlineData(Signal.RuntimeDefault, "SIGQUIT", 3)]
    [InlineData(Signal.RuntimeDefault, "3", 3)]
    [InlineData(Signal.RuntimeDefault, "SIGRTMIN+3", 37)]
    [InlineData(Signal.RuntimeDefault, "nonsense", 15)]
    [InlineData(Signal.Sigusr1, "SIGQUIT", 10)]
    [InlineData(Signal.Sigrtminplus3, "", 37)]
    [InlineData(Signal.Sigrtmaxminus1, "", 63)]
    [InlineData(Signal.Sigrtmax, "", 64)]
    public void The_stop_signal_is_the_requests_then_the_images_then_SIGTERM(Signal asked, string image, int expected) =>
        Assert.Equal(expected, Signals.StopSignal(asked, image));

    [Fact]
    public void Every_signal_of_CRI_has_a_number() =>
        Assert.All(Enum.GetValues<Signal>().Where(signal => signal != Signal.RuntimeDefault), signal => Assert.NotNull(Signals.Parse(signal.ToString())));

    [Theory]
    [InlineData("net.ipv4.ip_forward", NamespaceKinds.Network, "/proc/sys/net/ipv4/ip_forward")]
    [InlineData("net/ipv4/conf/eth0.1/forwarding", NamespaceKinds.Network, "/proc/sys/net/ipv4/conf/eth0.1/forwarding")]
    [InlineData("kernel.shmmax", NamespaceKinds.Ipc, "/proc/sys/kernel/shmmax")]
    [InlineData("kernel.panic", null, "/proc/sys/kernel/panic")]
    public void Sysctls_belong_to_a_namespace_or_to_the_machine(string name, NamespaceKinds? kind, string path) =>
        Assert.Equal((kind, path), (Sysctls.NamespaceOf(name), Sysctls.PathOf(name)));

    [Fact]
    public void A_sysctl_cannot_leave_its_directory() => Assert.Throws<ArgumentException>(() => Sysctls.PathOf("net/../../x"));

    [Fact]
    public void An_end_keeps_its_times_in_order_and_names_its_reason()
    {
        var record = new Podhost.Runtime.State.ContainerRecord
        {
            Id = "c", SandboxId = "s", ConfigBytes = [], RuntimePath = "/r", CgroupPath = "/x", ImageId = "i", ImageRef = "i", StartedAt = 100,
        };
        Assert.Equal(("Completed", 100L), (ExitRecorder.Ended(record, 0, 90, true).Reason, ExitRecorder.Ended(record, 0, 90, true).FinishedAt));
        Assert.Equal("OOMKilled", ExitRecorder.Ended(record, 137, 200, true).Reason);
        Assert.Equal("Error", ExitRecorder.Ended(record, 137, 200, false).Reason);
        Assert.Equal((255, 300L), (ExitRecorder.Lost(record, 300, "m").ExitCode, ExitRecorder.Lost(record, 300, "m").FinishedAt));
    }

    [Fact]
    public void Without_a_DNS_configuration_the_nodes_counts() => Assert.Null(SandboxFiles.ResolvConf(new DNSConfig()));
}

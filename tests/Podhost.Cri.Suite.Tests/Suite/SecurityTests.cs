using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedSecurityTests(EmbeddedNode node) : SecurityTests(node);

public sealed class ContainerdSecurityTests(ContainerdNode node) : SecurityTests(node);

/// <summary>The security context of containers.</summary>
public abstract class SecurityTests(CriNode node) : CriSuite(node)
{
    private const string NoChmod = """{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod", "fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO"}]}""";

    [Fact]
    public async Task User_group_and_supplementary_groups_are_as_asked()
    {
        await using var pod = await Node.RunAsync();
        async Task<string> Id(Action<LinuxContainerSecurityContext> change) => await pod.OutputAsync("id", config =>
        {
            config.Linux.SecurityContext.RunAsUser = null;
            change(config.Linux.SecurityContext);
        });
        Assert.StartsWith("uid=1000(app) gid=1001(app)", await Id(_ => { }), StringComparison.Ordinal);
        Assert.StartsWith("uid=1000(app) gid=1001(app)", await Id(c => c.RunAsUsername = "app"), StringComparison.Ordinal);
        Assert.StartsWith("uid=1000(app) gid=3000", await Id(c => (c.RunAsUser, c.RunAsGroup) = (new Int64Value { Value = 1000 }, new Int64Value { Value = 3000 })), StringComparison.Ordinal);
        Assert.Contains("4000", await Id(c => c.SupplementalGroups.Add(4000)), StringComparison.Ordinal);
        Assert.Contains("2000(extra)", await Id(c => c.RunAsUsername = "app"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<RpcException>(() => Id(c => c.RunAsUsername = "nobody-of-that-name"));
        await Assert.ThrowsAsync<RpcException>(() => Id(c => c.RunAsGroup = new Int64Value { Value = 3000 }));
    }

    [Fact]
    public async Task A_strict_policy_leaves_out_the_images_groups()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000", config =>
        {
            config.Linux.SecurityContext.RunAsUser = new Int64Value { Value = 1000 };
            config.Linux.SecurityContext.SupplementalGroups.Add(4000);
            config.Linux.SecurityContext.SupplementalGroupsPolicy = SupplementalGroupsPolicy.Strict;
        });
        var strict = !(await pod.ExecAsync(container, "id")).Contains("2000", StringComparison.Ordinal);
        Assert.Equal(Differs(true, false, "supplementalGroupsPolicy came with containerd 2.0; the kubelet refuses Strict on it by its features"), strict);
        var user = (await pod.StatusAsync(container)).User?.Linux;
        Assert.Equal(Differs("1000 1001 1001,4000", "", "the status' user came with containerd 2.0"), user is null ? "" : $"{user.Uid} {user.Gid} {string.Join(',', user.SupplementalGroups)}");
    }

    [Fact]
    public async Task Capabilities_are_added_and_dropped()
    {
        await using var pod = await Node.RunAsync();
        async Task<string> Bounding(Capability capability) =>
            (await pod.OutputAsync("grep CapBnd /proc/self/status", config => config.Linux.SecurityContext.Capabilities = capability)).Split('\t')[1].Trim();
        Assert.Equal("00000000a80425fb", await Bounding(new Capability()));
        Assert.Equal("0000000000000000", await Bounding(new Capability { DropCapabilities = { "ALL" } }));
        Assert.Equal("0000000000000400", await Bounding(new Capability { DropCapabilities = { "ALL" }, AddCapabilities = { "NET_BIND_SERVICE" } }));
        Assert.Equal("00000000a80435fb", await Bounding(new Capability { AddCapabilities = { "NET_ADMIN" } }));
    }

    [Fact]
    public async Task A_read_only_root_takes_no_files()
    {
        await using var pod = await Node.RunAsync();
        Assert.Equal("no\n", await pod.OutputAsync("touch /file 2>/dev/null && echo yes || echo no", config => config.Linux.SecurityContext.ReadonlyRootfs = true));
        Assert.Equal("yes\n", await pod.OutputAsync("touch /file 2>/dev/null && echo yes || echo no"));
    }

    [Fact]
    public async Task No_new_privileges_is_set_where_asked()
    {
        await using var pod = await Node.RunAsync();
        Assert.Equal("NoNewPrivs:\t1\n", await pod.OutputAsync("grep NoNewPrivs /proc/self/status", config => config.Linux.SecurityContext.NoNewPrivs = true));
        Assert.Equal("NoNewPrivs:\t0\n", await pod.OutputAsync("grep NoNewPrivs /proc/self/status"));
    }

    [Fact]
    public async Task Seccomp_is_default_local_or_none()
    {
        await using var pod = await Node.RunAsync();
        var profile = Path.Combine(Node.Root, Node.Name("seccomp") + ".json");
        await File.WriteAllTextAsync(profile, NoChmod, Cancel);
        async Task<string> Run(string script, SecurityProfile seccomp) => await pod.OutputAsync(script, config => config.Linux.SecurityContext.Seccomp = seccomp);
        var byDefault = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault };
        Assert.Equal("Seccomp:\t2\n", await Run("grep Seccomp: /proc/self/status", byDefault));
        // Without CAP_SYS_ADMIN the default profile forbids new namespaces.
        Assert.Equal("no\n", await Run("unshare -U true 2>/dev/null && echo yes || echo no", byDefault));
        var none = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Unconfined };
        Assert.Equal("Seccomp:\t0\n", await Run("grep Seccomp: /proc/self/status", none));
        var local = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = Differs(profile, profile, "an absolute path, as kubelets send it") };
        Assert.Equal("no\n", await Run("chmod 700 /tmp 2>/dev/null && echo yes || echo no", local));
        local = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = profile + ".absent" };
        await Assert.ThrowsAsync<RpcException>(() => Run("true", local));
    }

    [Fact]
    public async Task A_privileged_container_has_devices_and_rights()
    {
        await using var pod = await Node.RunAsync(config => config.Linux.SecurityContext.Privileged = true);
        var output = await pod.OutputAsync("mount -t tmpfs none /srv && echo mounted; test -e /dev/kmsg && echo device; grep Seccomp: /proc/self/status", config => config.Linux.SecurityContext.Privileged = true);
        Assert.Equal("mounted\ndevice\nSeccomp:\t0\n", output);
    }

    [Fact]
    public async Task A_profile_forbids_what_a_capability_would_allow_except_to_the_privileged()
    {
        const string NoHostname = """{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO"}]}""";
        var profile = Path.Combine(Node.Root, Node.Name("no-hostname") + ".json");
        File.WriteAllText(profile, NoHostname);
        await using var pod = await Node.RunAsync(config => config.Linux.SecurityContext.Privileged = true);
        async Task<string> Rename(bool privileged, bool confined) => await pod.OutputAsync("hostname another 2>/dev/null && echo yes || echo no", config =>
        {
            config.Linux.SecurityContext.Privileged = privileged;
            config.Linux.SecurityContext.Capabilities = new Capability { AddCapabilities = { "SYS_ADMIN" } };
            config.Linux.SecurityContext.Seccomp = confined
                ? new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = Differs(profile, "localhost/" + profile, "containerd 1.6 wants a prefix before the absolute path, as kubelets send it") }
                : new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Unconfined };
        });
        Assert.Equal("yes\n", await Rename(privileged: false, confined: false));
        Assert.Equal("no\n", await Rename(privileged: false, confined: true));
        Assert.Equal("yes\n", await Rename(privileged: true, confined: true));
    }

    [Fact]
    public async Task An_AppArmor_profile_that_cannot_be_enforced_is_refused()
    {
        await using var pod = await Node.RunAsync();
        await Assert.ThrowsAsync<RpcException>(() => pod.CreateAsync("true", config => config.Linux.SecurityContext.Apparmor =
            new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = "localhost/never-loaded" }));
#pragma warning disable CS0612 // Older clients send only the deprecated field.
        await Assert.ThrowsAsync<RpcException>(() => pod.CreateAsync("true", config => config.Linux.SecurityContext.ApparmorProfile = "localhost/never-loaded"));
        if (Differs(true, File.Exists("/sys/kernel/security/apparmor/profiles"), "containerd 1.6 refuses its own default where the kernel has no AppArmor"))
        {
            Assert.Equal("works\n", await pod.OutputAsync("echo works", config => config.Linux.SecurityContext.ApparmorProfile = "runtime/default"));
        }

#pragma warning restore CS0612
    }

    [Fact]
    public async Task Paths_are_masked_and_read_only()
    {
        await using var pod = await Node.RunAsync();
        var output = await pod.OutputAsync("wc -c < /proc/version; echo 1 2>/dev/null > /proc/sys/kernel/hostname && echo yes || echo no", config =>
        {
            config.Linux.SecurityContext.MaskedPaths.Add("/proc/version");
            config.Linux.SecurityContext.ReadonlyPaths.Add("/proc/sys");
        });
        Assert.Equal("0\nno\n", output);
    }

    [Fact]
    public async Task Sysctls_of_the_pod_are_set()
    {
        await using var pod = await Node.RunAsync(config =>
        {
            config.Linux.Sysctls["net.ipv4.ip_local_port_range"] = "32770 60666";
            config.Linux.Sysctls["kernel.shm_rmid_forced"] = "1";
            config.Linux.Sysctls["fs.mqueue.msg_max"] = "100";
        });
        Assert.Equal("32770\t60666\n1\n100\n", await pod.OutputAsync("cd /proc/sys; cat net/ipv4/ip_local_port_range kernel/shm_rmid_forced fs/mqueue/msg_max"));
    }
}

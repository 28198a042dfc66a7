using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Containers.Files;
using Podhost.Kubelet.Containers.Sandbox;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.PodConfig;

public sealed class SandboxRulesTests
{
    private static readonly ContainerConfigOptions Options = new() { RootDirectory = "/r", SeccompProfileRoot = "/s" };

    [Theory]
    [InlineData("net.ipv4.tcp_syncookies", "net.ipv4.tcp_syncookies")]
    [InlineData("net/ipv4/tcp_syncookies", "net.ipv4.tcp_syncookies")]
    [InlineData("net/ipv4/conf/eno2.100/forwarding", "net.ipv4.conf.eno2/100.forwarding")]
    [InlineData("net.ipv4.conf.eno2/100.forwarding", "net.ipv4.conf.eno2/100.forwarding")]
    [InlineData("plain", "plain")]
    public void Sysctl_names_have_dots(string name, string normal) => Assert.Equal(normal, SysctlRules.Normalize(name));

    [Theory]
    [InlineData("net.ipv4.tcp_syncookies", "", null)]
    [InlineData("net.ipv4.tcp_syncookies", "hostNetwork: true", "forbidden sysctl: \"net.ipv4.tcp_syncookies\" not allowed with host net enabled")]
    [InlineData("kernel.shm_rmid_forced", "hostIPC: true", "forbidden sysctl: \"kernel.shm_rmid_forced\" not allowed with host ipc enabled")]
    [InlineData("kernel.msgmax", "", null)]
    [InlineData("vm.swappiness", "", "forbidden sysctl: \"vm.swappiness\" not allowlisted")]
    public void Sysctls(string name, string more, string? message) => Assert.Equal(
        message,
        SysctlRules.Check(Objects.Pod($"securityContext: {{sysctls: [{{name: {name}, value: \"1\"}}]}}\ncontainers: [{{name: a}}]\n{more}"), ["kernel.msg*"]));

    [Fact]
    public void Search_domains_are_cut_at_the_limits_with_a_warning()
    {
        var many = new ResolvConf([], [.. Enumerable.Range(0, 40).Select(i => $"d{i}.example")], []);
        var result = DnsRules.Of(Objects.Pod("dnsPolicy: Default\ncontainers: [{name: a}]"), many, Options);
        Assert.Equal(32, result.Config.Searches.Count);
        Assert.Equal("DNSConfigForming", Assert.Single(result.Warnings).Reason);

        var wide = new ResolvConf([], [.. Enumerable.Range(0, 12).Select(i => new string((char)('a' + i), 200)), new string('z', 254)], []);
        result = DnsRules.Of(Objects.Pod("dnsPolicy: Default\ncontainers: [{name: a}]"), wide, Options);
        Assert.Equal(10, result.Config.Searches.Count); // 10 · 200 + 9 blanks is the most below 2048
    }

    [Fact]
    public void Without_cluster_dns_the_node_resolves_and_the_pod_is_warned()
    {
        var result = DnsRules.Of(Objects.Pod("containers: [{name: a}]"), ResolvConf.Parse("nameserver 192.0.2.1"), Options);
        Assert.Equal(["192.0.2.1"], result.Config.Servers);
        Assert.Equal("MissingClusterDNS", Assert.Single(result.Warnings).Reason);
    }

    [Fact]
    public void Switched_off_lookups_ask_the_local_machine()
    {
        var result = DnsRules.Of(Objects.Pod("dnsPolicy: Default\ncontainers: [{name: a}]"), null, Options);
        Assert.Equal(["127.0.0.1"], result.Config.Servers);
        Assert.Equal(["."], result.Config.Searches);
    }

    [Fact]
    public void Resolv_conf_adds_servers_up_and_takes_the_last_search()
    {
        var parsed = ResolvConf.Parse("#x\nnameserver 1.1.1.1\n nameserver\t2.2.2.2 x\nsearch a. b\nsearch c. d\noptions x y:1\n");
        Assert.Equal(["1.1.1.1", "2.2.2.2"], parsed.Servers);
        Assert.Equal(["c", "d"], parsed.Searches);
        Assert.Equal(["x", "y:1"], parsed.Options);
        Assert.Throws<FormatException>(() => ResolvConf.Parse("nameserver"));
    }

    [Fact]
    public void Hosts_file_of_a_pod()
    {
        var pod = Objects.Pod("hostAliases: [{ip: 10.1.2.3, hostnames: [foo.local, bar.local]}]\ncontainers: [{name: a}]");
        const string head = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
            + "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";
        Assert.Equal(
            head + "10.88.0.5\tweb.sub.shop.svc.c\tweb\n\n# Entries added by HostAliases.\n10.1.2.3\tfoo.local\tbar.local\n",
            HostsFile.Managed(["10.88.0.5"], new PodHostname("web", "sub.shop.svc.c"), pod.Spec.HostAliases));
        Assert.Equal(head + "10.88.0.5\tweb\nfd00::5\tweb\n", HostsFile.Managed(["10.88.0.5", "fd00::5"], new PodHostname("web", ""), null));
        Assert.Equal("# Kubernetes-managed hosts file (host network).\n127.0.0.1 x\n", HostsFile.OfNode("127.0.0.1 x\n", null));
    }

    [Theory]
    [InlineData(null, "RuntimeDefault")]
    [InlineData("SIGTERM", "Sigterm")]
    [InlineData("SIGRTMIN+3", "Sigrtminplus3")]
    [InlineData("SIGRTMAX-14", "Sigrtmaxminus14")]
    public void Stop_signals(string? name, string expected) => Assert.Equal(expected, StopSignals.Of(name).ToString());

    [Theory]
    [InlineData("SIGNONE")]
    [InlineData("9")]
    public void Unknown_stop_signals_are_refused(string name) => Assert.Throws<ContainerConfigException>(() => StopSignals.Of(name));

    [Theory]
    [InlineData("os: {name: windows}", "spec.os.name")]
    [InlineData("volumes: [{name: v, csi: {driver: x}}]", "spec.volumes[0].csi")]
    [InlineData("volumes: [{name: u, emptyDir: {}}, {name: v, nfs: {server: s, path: p}}]", "spec.volumes[1].nfs")]
    [InlineData("volumes: [{name: v, emptyDir: {medium: Tape}}]", "spec.volumes[0].emptyDir.medium")]
    [InlineData("volumes: [{name: v, projected: {sources: [{secret: {name: s}}, {clusterTrustBundle: {path: p}}]}}]", "spec.volumes[0].projected.sources[1].clusterTrustBundle")]
    [InlineData("ephemeralContainers: [{name: e, resources: {claims: [{name: c}]}}]", "spec.ephemeralContainers[0].resources.claims")]
    [InlineData("securityContext: {appArmorProfile: {type: RuntimeDefault}}", "spec.securityContext.appArmorProfile")]
    [InlineData("resourceClaims: [{name: c}]", "spec.resourceClaims")]
    [InlineData("securityContext: {windowsOptions: {runAsUserName: u}}", "spec.securityContext.windowsOptions")]
    [InlineData("initContainers: [{name: i, restartPolicy: Always, livenessProbe: {grpc: {port: 1, mode: TLS}}}]", "spec.initContainers[0].livenessProbe.grpc.mode")]
    [InlineData("initContainers: [{name: i, startupProbe: {httpGet: {port: 1, protocol: HTTP2}}}]", "spec.initContainers[0].startupProbe.httpGet.protocol")]
    [InlineData("initContainers: [{name: i, lifecycle: {preStop: {httpGet: {port: 1, protocol: HTTP2}}}}]", "spec.initContainers[0].lifecycle.preStop.httpGet.protocol")]
    public void Fields_that_nobody_implements_are_found(string spec, string field) =>
        Assert.Equal(field, Assert.Single(UnsupportedFields.Find(Objects.Pod("containers: [{name: a}]\n" + spec))).Field);

    [Fact]
    public void SELinux_labels_are_refused_only_where_the_kernel_would_enforce_them()
    {
        var pod = Objects.Pod("containers: [{name: a, securityContext: {seLinuxOptions: {level: \"s0:c1\"}}}]");
        Assert.Empty(UnsupportedFields.Find(pod));
        Assert.Equal("spec.containers[0].securityContext.seLinuxOptions", Assert.Single(UnsupportedFields.Find(pod, new NodeFeatures { SeLinux = true })).Field);
    }

    [Fact]
    public void A_pod_of_supported_fields_passes() => Assert.Empty(UnsupportedFields.Find(Objects.Pod("""
        os: {name: linux}
        hostUsers: false
        securityContext: {appArmorProfile: {type: Unconfined}}
        volumes: [{name: a, emptyDir: {medium: Memory}}, {name: b, hostPath: {path: /x}}, {name: c, image: {reference: r}}]
        containers: [{name: a, volumeMounts: [{name: a, mountPath: /a}]}]
        """)));
}

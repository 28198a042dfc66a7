using System.Net;
using Podhost.Doctor;

namespace Podhost.Tests;

public class NodeModulesTests
{
    private const string Dependencies = """
        kernel/fs/overlayfs/overlay.ko:
        kernel/net/bridge/br_netfilter.ko.xz: kernel/net/bridge/bridge.ko kernel/net/802/stp.ko

        """;

    [Theory]
    [InlineData("nodev\toverlay\n\text4\n", "1", Dependencies, "")] // all there
    [InlineData("\text4\n", null, Dependencies, "overlay br_netfilter")] // as a distribution boots
    [InlineData("nodev\toverlay\n", "0", Dependencies, "")] // somebody switched it off: not ours to change
    [InlineData("\text4\n", null, "", "")] // a kernel without either
    [InlineData("\text4\n", null, null, "")] // a container without modules
    [InlineData("nodev\toverlayed\n", "1", Dependencies, "overlay")]
    public void What_the_kernel_lacks_and_has_as_a_module_is_loaded(string filesystems, string? bridge, string? dependencies, string wanted) =>
        Assert.Equal(wanted, string.Join(' ', NodeModules.Wanted(new Fake(filesystems, bridge, dependencies))));

    [Theory]
    [InlineData("\text4\n", Dependencies, FindingLevel.Ok, "a module, loaded at the start")]
    [InlineData("\text4\n", null, FindingLevel.Error, "not there")]
    [InlineData("nodev\toverlay\n", null, FindingLevel.Ok, "there")]
    public void The_doctor_calls_an_error_only_what_a_start_cannot_mend(string filesystems, string? dependencies, object level, string text)
    {
        var finding = MachineChecks.All(new Fake(filesystems, "1", dependencies), new Podhost.Configuration.PodhostOptions(), running: true).Single(f => f.Check == "overlayfs");
        Assert.Equal((level, text), (finding.Level, finding.Text));
    }

    private sealed class Fake(string filesystems, string? bridge, string? dependencies) : IMachine
    {
        public bool IsRoot => true;

        public string? Read(string path) => path switch
        {
            "/proc/filesystems" => filesystems,
            "/proc/sys/net/bridge/bridge-nf-call-iptables" => bridge is null ? null : bridge + "\n",
            "/proc/sys/kernel/osrelease" => "6.1.0-1-amd64\n",
            "/lib/modules/6.1.0-1-amd64/modules.dep" => dependencies,
            _ => null,
        };

        public bool Exists(string path) => true;

        public string? Program(string name) => "/usr/sbin/" + name;

        public string? PortProblem(IPAddress address, int port) => null;

        public (long Free, long Total) DiskBytes(string path) => (1L << 40, 1L << 40);
    }
}

using System.Diagnostics;
using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedMountTests(EmbeddedNode node) : MountTests(node);

public sealed class ContainerdMountTests(ContainerdNode node) : MountTests(node);

/// <summary>Mounts, their propagation, and devices.</summary>
public abstract class MountTests(CriNode node) : CriSuite(node)
{
    [Fact]
    public async Task Files_and_directories_of_the_host_are_mounted()
    {
        await using var pod = await Node.RunAsync();
        var (outer, inner) = (Directory("outer"), Directory("inner"));
        File.WriteAllText(Path.Combine(inner, "file"), "inside");
        System.IO.Directory.CreateDirectory(Path.Combine(outer, "in"));
        var output = await pod.OutputAsync("cat /data/in/file /single; touch /data/in/new 2>/dev/null && echo yes || echo no; echo written > /data/new", config =>
        {
            config.Mounts.Add(new Mount { HostPath = inner, ContainerPath = "/data/in", Readonly = true });
            config.Mounts.Add(new Mount { HostPath = outer, ContainerPath = "/data" });
            config.Mounts.Add(new Mount { HostPath = Path.Combine(inner, "file"), ContainerPath = "/single" });
        });
        Assert.Equal("insideinsideno\n", output);
        Assert.Equal("written\n", File.ReadAllText(Path.Combine(outer, "new")));
    }

    [Fact]
    public async Task A_host_path_that_is_not_there_is_made_and_a_link_is_followed()
    {
        await using var pod = await Node.RunAsync();
        var target = Directory("target");
        File.WriteAllText(Path.Combine(target, "file"), "by the link");
        File.CreateSymbolicLink(target + "-link", target);
        var output = await pod.OutputAsync("test -d /made && cat /linked/file", config =>
        {
            config.Mounts.Add(new Mount { HostPath = target + "-absent", ContainerPath = "/made" });
            config.Mounts.Add(new Mount { HostPath = target + "-link", ContainerPath = "/linked" });
        });
        Assert.Equal("by the link", output.TrimEnd('\n'));
        Assert.True(System.IO.Directory.Exists(target + "-absent"));
    }

    [Fact]
    public async Task Recursive_read_only_reaches_the_mounts_below()
    {
        await using var pod = await Node.RunAsync();
        var directory = Directory("recursive");
        System.IO.Directory.CreateDirectory(Path.Combine(directory, "below"));
        await ShellAsync($"mount -t tmpfs none {directory}/below");
        try
        {
            async Task<string> Write(bool recursive) => await pod.OutputAsync("touch /data/below/file 2>/dev/null && echo yes || echo no", config => config.Mounts.Add(
                new Mount { HostPath = directory, ContainerPath = "/data", Readonly = true, RecursiveReadOnly = recursive, Propagation = MountPropagation.PropagationPrivate }));
            Assert.Equal("yes\n", await Write(false));
            Assert.Equal(Differs("no\n", "yes\n", "recursive_read_only came with containerd 2.0; the kubelet refuses it by the handlers' features"), await Write(true));
            if (Differs(true, false, "recursive_read_only is not known to containerd 1.6"))
            {
                Mount[] impossible =
                [
                    new() { Propagation = MountPropagation.PropagationHostToContainer, Readonly = true }, new() { Propagation = MountPropagation.PropagationBidirectional, Readonly = true }, new(),
                ];
                foreach (var mount in impossible)
                {
                    (mount.HostPath, mount.ContainerPath, mount.RecursiveReadOnly) = (directory, "/data", true);
                    await FailsAsync(StatusCode.InvalidArgument, () => pod.CreateAsync("true", config => config.Mounts.Add(mount)));
                }
            }
        }
        finally
        {
            await ShellAsync($"umount {directory}/below");
        }
    }

    [Theory]
    [InlineData(MountPropagation.PropagationPrivate, false, false)]
    [InlineData(MountPropagation.PropagationHostToContainer, true, false)]
    [InlineData(MountPropagation.PropagationBidirectional, true, true)]
    public async Task Mounts_made_later_propagate_as_asked(MountPropagation propagation, bool inwards, bool outwards)
    {
        var directory = Directory("propagation");
        await ShellAsync($"mount --bind {directory} {directory} && mount --make-shared {directory} && mkdir {directory}/a {directory}/b");
        try
        {
            await using (var pod = await Node.RunAsync(config => config.Linux.SecurityContext.Privileged = true))
            {
                var container = await pod.RunAsync("sleep 1000", config =>
                {
                    config.Linux.SecurityContext.Privileged = true;
                    config.Mounts.Add(new Mount { HostPath = directory, ContainerPath = "/data", Propagation = propagation });
                });
                var told = Assert.Single((await pod.StatusAsync(container)).Mounts);
                Assert.Equal((directory, "/data", false, false, propagation), (told.HostPath, told.ContainerPath, told.Readonly, told.SelinuxRelabel, told.Propagation));
                await ShellAsync($"mount -t tmpfs none {directory}/a && touch {directory}/a/file");
                Assert.Equal(inwards, (await pod.TryExecAsync(container, "test -e /data/a/file")).ExitCode == 0);
                await pod.ExecAsync(container, "mount -t tmpfs none /data/b && touch /data/b/file");
                Assert.Equal(outwards, File.Exists($"{directory}/b/file"));
            }
        }
        finally
        {
            await ShellAsync($"umount -R {directory}");
        }
    }

    [Fact]
    public async Task An_image_is_mounted_read_only_and_told_by_its_identifier()
    {
        if (Differs(false, true, "image volumes came with containerd 2.1"))
        {
            return;
        }

        var reference = await Node.PullAsync(Node.Image);
        await using var pod = await Node.RunAsync();
        Mount Of(bool readOnly = true, string subPath = "") => new()
        {
            ContainerPath = "/mnt/image", Readonly = readOnly, Image = new ImageSpec { Image = Node.Image, UserSpecifiedImage = Node.Image }, ImageSubPath = subPath,
        };
        var container = await pod.RunAsync("sleep 1000", config => config.Mounts.Add(Of()));
        Assert.Equal(reference, Assert.Single((await pod.StatusAsync(container)).Mounts).Image.ImageRef);
        Assert.Equal("0\n", await pod.ExecAsync(container, "/mnt/image/bin/busybox id -u"));
        Assert.NotEqual(0, (await pod.TryExecAsync(container, "touch /mnt/image/new")).ExitCode);
        Assert.Equal("root\n", await pod.OutputAsync("head -n 1 /mnt/image/passwd | cut -d: -f1", config => config.Mounts.Add(Of(subPath: "etc"))));
        await FailsAsync(StatusCode.InvalidArgument, () => pod.CreateAsync("true", config => config.Mounts.Add(Of(subPath: "absent"))));
        await FailsAsync(StatusCode.InvalidArgument, () => pod.CreateAsync("true", config => config.Mounts.Add(Of(readOnly: false))));
    }

    [Fact]
    public async Task A_device_is_there_with_the_rights_that_are_given()
    {
        await using var pod = await Node.RunAsync();
        var output = await pod.OutputAsync("test -c /dev/mine && head -c 3 /dev/mine | wc -c", config =>
            config.Devices.Add(new Device { HostPath = "/dev/zero", ContainerPath = "/dev/mine", Permissions = "rwm" }));
        Assert.Equal("3\n", output);
        await Assert.ThrowsAsync<RpcException>(() => pod.CreateAsync("true", config =>
            config.Devices.Add(new Device { HostPath = "/dev/absent-device", ContainerPath = "/dev/mine", Permissions = "rwm" })));
    }

    private string Directory(string name) => System.IO.Directory.CreateDirectory(Path.Combine(Node.Root, Node.Name(name))).FullName;

    private static async Task ShellAsync(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", script]))!;
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.Equal(0, process.ExitCode);
    }
}

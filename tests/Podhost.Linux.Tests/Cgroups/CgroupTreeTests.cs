using Podhost.Linux.Cgroups;
using Podhost.Linux.Mounts;
using Podhost.Linux.Processes;

namespace Podhost.Linux.Tests.Cgroups;

public sealed class CgroupTreeTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("podhost-cgroups");

    public void Dispose() => _root.Delete(true);

    [Fact]
    public void On_v2_a_new_cgroup_gets_its_controllers_from_every_parent_and_its_limits_as_v2_text()
    {
        var tree = new CgroupTree(new CgroupLayout(CgroupMode.V2, _root.FullName, new Dictionary<string, string>()));
        Fake("", "cgroup.controllers", "cpu memory pids");
        Fake("", "cgroup.subtree_control", "cpu");
        tree.Create("/kubepods/podx");
        // A file system that is not a cgroup's shows the last word written, which is the last controller.
        Assert.StartsWith("+pids", File.ReadAllText(Path.Combine(_root.FullName, "cgroup.subtree_control")), StringComparison.Ordinal);
        Assert.True(tree.Exists("/kubepods/podx"));
        Fake("kubepods/podx", "memory.max", "");
        tree.Apply("/kubepods/podx", new CgroupResources { MemoryLimit = 4096 });
        Assert.Equal("4096", tree.Read("memory", "/kubepods/podx", "memory.max"));
    }

    [Fact]
    public void The_top_of_a_delegated_hierarchy_is_cleared_of_processes_before_it_passes_controllers_on()
    {
        var tree = new CgroupTree(new CgroupLayout(CgroupMode.V2, _root.FullName, new Dictionary<string, string>()));
        Fake("", "cgroup.controllers", "cpu memory misc");
        Fake("", "cgroup.subtree_control", "");
        Fake("", "cgroup.procs", $"{Environment.ProcessId}\n");
        // The kernel makes the files of a new cgroup; here they are there before.
        Directory.CreateDirectory(Path.Combine(_root.FullName, "podhost-init"));
        Fake("podhost-init", "cgroup.procs", "");
        tree.Create("/kubepods");
        Assert.Equal("", File.ReadAllText(Path.Combine(_root.FullName, "podhost-init/cgroup.procs")));
        Fake("", "cgroup.subtree_control", "");
        Fake("", "cgroup.type", "domain");
        tree.Create("/other");
        Assert.Equal($"{Environment.ProcessId}", File.ReadAllText(Path.Combine(_root.FullName, "podhost-init/cgroup.procs")));
        // The last word written; what pods do not need is not touched.
        Assert.StartsWith("+memory", File.ReadAllText(Path.Combine(_root.FullName, "cgroup.subtree_control")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_without_swap_accounting_needs_no_swap_forbidden()
    {
        var tree = new CgroupTree(new CgroupLayout(CgroupMode.V2, _root.FullName, new Dictionary<string, string>()));
        tree.Create("/c");
        Fake("c", "memory.max", "");
        tree.Apply("/c", new CgroupResources { MemoryLimit = 4096, MemorySwapLimit = 4096 });
        Assert.Throws<IOException>(() => tree.Apply("/c", new CgroupResources { MemoryLimit = 4096, MemorySwapLimit = 8192 }));
        Fake("c", "memory.swap.max", "max");
        tree.Apply("/c", new CgroupResources { MemoryLimit = 4096, MemorySwapLimit = 4096 });
        Assert.StartsWith("0", tree.Read("memory", "/c", "memory.swap.max"), StringComparison.Ordinal);
    }

    [Fact]
    public void On_v1_a_new_cpuset_takes_over_its_parents_processors()
    {
        var cpuset = Path.Combine(_root.FullName, "cpuset");
        Directory.CreateDirectory(cpuset);
        Fake("cpuset", "cpuset.cpus", "0-3");
        Fake("cpuset", "cpuset.mems", "0");
        var tree = new CgroupTree(new CgroupLayout(CgroupMode.V1, null, new Dictionary<string, string> { ["cpuset"] = cpuset }));
        tree.Create("/a");
        Assert.True(Directory.Exists(Path.Combine(cpuset, "a")));
        Assert.True(tree.TryRemove("/a"));
        Assert.True(tree.TryRemove("/a"));
    }

    [Fact]
    public void On_v1_a_cpuset_that_a_crash_left_empty_is_filled_before_it_is_used()
    {
        var cpuset = Path.Combine(_root.FullName, "cpuset");
        var half = Directory.CreateDirectory(Path.Combine(cpuset, "half")).FullName;
        Fake("cpuset", "cpuset.cpus", "0-3");
        Fake("cpuset", "cpuset.mems", "0");
        File.WriteAllText(Path.Combine(half, "cpuset.cpus"), "\n");
        File.WriteAllText(Path.Combine(half, "cpuset.mems"), "\n");
        new CgroupTree(new CgroupLayout(CgroupMode.V1, null, new Dictionary<string, string> { ["cpuset"] = cpuset })).Create("/half/new");
        Assert.Equal("0-3", File.ReadAllText(Path.Combine(half, "cpuset.cpus")).Trim());
        Assert.Equal("0", File.ReadAllText(Path.Combine(half, "cpuset.mems")).Trim());
    }

    [Fact]
    public void A_path_cannot_leave_the_hierarchy_and_the_root_cannot_be_removed()
    {
        var tree = new CgroupTree(new CgroupLayout(CgroupMode.V2, _root.FullName, new Dictionary<string, string>()));
        Assert.Throws<ArgumentException>(() => tree.Create("/a/../../b"));
        Assert.Throws<ArgumentException>(() => tree.TryRemove("/"));
    }

    [Fact]
    public void Usage_of_v2_is_read_from_its_files()
    {
        var tree = new CgroupTree(new CgroupLayout(CgroupMode.V2, _root.FullName, new Dictionary<string, string>()));
        tree.Create("/c");
        Fake("c", "cpu.stat", "usage_usec 1500\nuser_usec 1\n");
        Fake("c", "memory.current", "1000\n");
        Fake("c", "memory.stat", "anon 300\ninactive_file 400\npgfault 5\npgmajfault 2\n");
        Fake("c", "memory.max", "max\n");
        Fake("c", "pids.current", "3\n");
        Fake("c", "memory.events", "oom 2\noom_kill 1\n");
        Assert.Equal(new CgroupUsage(1_500_000, 1000, 600, 300, null, 5, 2, 0, 3), CgroupUsage.Read(tree, "/c"));
        Assert.Equal(1ul, CgroupUsage.OomKills(tree, "/c"));
        Assert.Null(CgroupUsage.Read(tree, "/absent"));
    }

    [Theory]
    [InlineData("25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", CgroupMode.V2)]
    [InlineData("25 1 0:22 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct", CgroupMode.V1)]
    [InlineData("25 1 0:22 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n26 1 0:23 / /sys/fs/cgroup/unified rw - cgroup2 none rw", CgroupMode.Hybrid)]
    [InlineData("25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n26 1 0:23 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd", CgroupMode.V2)]
    public void The_mount_table_tells_the_mode(string mountinfo, CgroupMode expected) =>
        Assert.Equal(expected, CgroupLayout.From(MountTable.Parse(mountinfo)).Mode);

    [Fact]
    public void The_usual_root_is_the_one_when_v2_is_mounted_twice() =>
        Assert.Equal("/sys/fs/cgroup", CgroupLayout.From(MountTable.Parse(
            "24 1 0:22 / /mnt/cg rw - cgroup2 cgroup2 rw\n25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n26 1 0:22 /x /run/x/sys/fs/cgroup ro - cgroup2 cgroup2 ro")).Unified);

    [Fact]
    public async Task A_real_cgroup_limits_and_kills_a_process_with_its_children()
    {
        Machine.RequireRoot();
        var tree = new CgroupTree(CgroupLayout.Detect());
        var path = $"/podhost-test-{Environment.ProcessId}/inner";
        tree.Create(path);
        try
        {
            tree.Apply(path, new CgroupResources { PidsLimit = 77 });
            Assert.Equal("77", tree.Read("pids", path, "pids.max"));
            var child = ProcessSpawner.Spawn(new SpawnRequest("/bin/sh", ["-c", "sleep 1000 & sleep 1000 & wait"]) { Environment = [ProcessSpawner.DefaultPath] });
            tree.AddProcess(path, child.Pid);
            Assert.Contains(child.Pid, tree.Processes(path));
            Assert.NotNull(CgroupUsage.Read(tree, path));
            // As when a sandbox fails while the thread that made it has not ended: this process must not kill itself.
            using var killed = new ManualResetEventSlim();
            var thread = new Thread(() =>
            {
                _ = tree.TryAddCurrentThread(path);
                killed.Wait(CancellationToken.None);
            });
            thread.Start();
            Assert.True(tree.IsV2 || SpinWait.SpinUntil(() => tree.Processes(path).Contains(Environment.ProcessId), TimeSpan.FromSeconds(10)));
            tree.Kill(path);
            killed.Set();
            thread.Join();
            Assert.Equal(137, await child.Exit.WaitAsync(TimeSpan.FromSeconds(20), CancellationToken.None));
        }
        finally
        {
            foreach (var pid in tree.Processes(path))
            {
                using var left = PidFd.Open(pid);
                left?.Signal(9);
                await (left?.WaitForExitAsync(CancellationToken.None) ?? Task.CompletedTask);
            }

            Assert.True(SpinWait.SpinUntil(() => tree.TryRemove(Path.GetDirectoryName(path)!), TimeSpan.FromSeconds(10)));
        }
    }

    private void Fake(string cgroup, string file, string text) => File.WriteAllText(Path.Combine(_root.FullName, cgroup, file), text);
}

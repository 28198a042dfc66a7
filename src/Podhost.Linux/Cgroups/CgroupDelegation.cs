using System.Globalization;

namespace Podhost.Linux.Cgroups;

/// <summary>
/// Passing controllers on in a v2 hierarchy. A cgroup that passes them on holds no processes itself (cgroup-v2.rst, "No Internal Process
/// Constraint"), except for the root of the machine.
/// </summary>
internal static class CgroupDelegation
{
    /// <summary>Where the processes go that stand in the way at the top of a delegated hierarchy.</summary>
    internal const string Leaf = "podhost-init";

    private const int MaxRounds = 8;

    // What limits and usage of pods need. Others (rdma, misc, dmem) are left as they are: one that cannot be passed on must not stop a pod.
    private static readonly string[] Needed = ["cpu", "cpuset", "io", "memory", "pids", "hugetlb"];

    /// <summary>Makes the controllers work in the cgroups below one. Idempotent.</summary>
    /// <param name="parent">The cgroup's directory.</param>
    /// <param name="isTop">The mount point: in a container, a cgroup of the machine in which the container's own processes are.</param>
    internal static void Enable(string parent, bool isTop)
    {
        var control = Path.Combine(parent, "cgroup.subtree_control");
        var missing = CgroupTree.Words(Path.Combine(parent, "cgroup.controllers")).Intersect(Needed).Except(CgroupTree.Words(control)).ToList();
        if (missing.Count == 0)
        {
            return;
        }

        // The root of the machine alone has no type, and no such rule.
        if (isTop && File.Exists(Path.Combine(parent, "cgroup.type")))
        {
            Clear(parent);
        }

        foreach (var controller in missing)
        {
            CgroupTree.Write(control, "+" + controller);
        }
    }

    // A process may fork while the list is read: a few looks, and then the kernel's refusal tells who is left.
    private static void Clear(string top)
    {
        for (var round = 0; round < MaxRounds && CgroupTree.Words(Path.Combine(top, "cgroup.procs")) is { Length: > 0 } processes; round++)
        {
            var leaf = Directory.CreateDirectory(Path.Combine(top, Leaf)).FullName;
            foreach (var process in processes)
            {
                Move(process, leaf);
            }
        }
    }

    private static void Move(string process, string leaf)
    {
        try
        {
            CgroupTree.Write(Path.Combine(leaf, "cgroup.procs"), process);
        }
        catch (IOException) when (!Directory.Exists("/proc/" + int.Parse(process, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)))
        {
            // It has ended meanwhile.
        }
    }
}

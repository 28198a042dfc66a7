using System.Globalization;
using System.Runtime.InteropServices;
using Podhost.Linux.Native;
using Podhost.Linux.Processes;

namespace Podhost.Linux.Cgroups;

/// <summary>
/// The machine's cgroups by path (<c>/kubepods/burstable/podX</c>), the same on v1, hybrid and v2. Every operation is synchronous and
/// touches kernel memory only.
/// </summary>
public sealed class CgroupTree
{
    private const int Kill9 = 9;
    private const int MaxKillRounds = 32;
    private readonly string[] _roots;

    /// <summary>Works on a layout.</summary>
    /// <param name="layout">Where the hierarchies are; a test gives directories of its own.</param>
    public CgroupTree(CgroupLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        Layout = layout;
        _roots = layout.Mode == CgroupMode.V2 ? [layout.Unified!] : [.. layout.V1.Values.Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Where the hierarchies are.</summary>
    public CgroupLayout Layout { get; }

    /// <summary>One hierarchy for all controllers.</summary>
    public bool IsV2 => Layout.Mode == CgroupMode.V2;

    /// <summary>The controllers that limits can be set with.</summary>
    public IReadOnlyCollection<string> Controllers =>
        IsV2 ? Words(Path.Combine(Layout.Unified!, "cgroup.controllers")) : [.. Layout.V1.Keys];

    /// <summary>The directory of a cgroup in a controller's hierarchy; null when the machine has no such controller.</summary>
    /// <param name="controller">The controller; any on v2.</param>
    /// <param name="path">The cgroup.</param>
    public string? Directory(string controller, string path) =>
        IsV2 ? Join(Layout.Unified!, path) : Layout.V1.TryGetValue(controller, out var root) ? Join(root, path) : null;

    /// <summary>The cgroup exists (in any hierarchy).</summary>
    /// <param name="path">The cgroup.</param>
    public bool Exists(string path) => _roots.Any(root => System.IO.Directory.Exists(Join(root, path)));

    /// <summary>Creates a cgroup with its parents, in all hierarchies. Idempotent.</summary>
    /// <param name="path">The cgroup.</param>
    public void Create(string path)
    {
        _ = Checked(path);
        foreach (var root in _roots)
        {
            var parent = root;
            foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                var child = Path.Combine(parent, part);
                if (!System.IO.Directory.Exists(child))
                {
                    Delegate(parent);
                    System.IO.Directory.CreateDirectory(child);
                }

                InheritCpuset(parent, child);
                parent = child;
            }
        }
    }

    /// <summary>Writes limits. The cgroup exists. A controller that the machine lacks is an error where a limit was asked of it.</summary>
    /// <param name="path">The cgroup.</param>
    /// <param name="resources">The limits.</param>
    public void Apply(string path, CgroupResources resources)
    {
        var settings = IsV2 ? CgroupFormulas.ForV2(resources) : CgroupFormulas.ForV1(resources, SwapGrows(path, resources.MemorySwapLimit));
        foreach (var setting in settings)
        {
            var directory = Directory(setting.Controller, path)
                ?? throw new IOException($"cgroup {path}: the machine has no {setting.Controller} controller for {setting.File}");
            var file = Path.Combine(directory, setting.File);
            // A kernel that accounts no swap has no such file, and no swap to forbid or to allow: as the OCI runtimes see it.
            if (setting is not { File: "memory.swap.max", Value: "0" or "max" } || File.Exists(file))
            {
                Write(file, setting.Value);
            }
        }
    }

    private bool SwapGrows(string path, long? wanted) => wanted is { } next
        && long.TryParse(Read("memory", path, "memory.memsw.limit_in_bytes"), NumberStyles.None, CultureInfo.InvariantCulture, out var present) && (next < 0 || next > present);

    /// <summary>Moves a process, with all its threads, into a cgroup of every hierarchy.</summary>
    /// <param name="path">The cgroup.</param>
    /// <param name="pid">The process.</param>
    public void AddProcess(string path, int pid)
    {
        foreach (var root in _roots)
        {
            Write(Path.Combine(Join(root, path), "cgroup.procs"), pid.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>
    /// Moves the calling thread into a cgroup, so that what it starts is born there. The kernel does this at once, where moving a process
    /// waits for all processors (10 ms measured). False on v2, whose threads stay with their process.
    /// </summary>
    /// <param name="path">The cgroup.</param>
    public bool TryAddCurrentThread(string path)
    {
        foreach (var root in IsV2 ? [] : _roots)
        {
            Write(Path.Combine(Join(root, path), "tasks"), "0");
        }

        return !IsV2;
    }

    /// <summary>The processes of a cgroup and of those below it; none when it does not exist.</summary>
    /// <param name="path">The cgroup.</param>
    public IReadOnlyList<int> Processes(string path)
    {
        var directory = Directory("pids", path) ?? Join(_roots[0], path);
        return System.IO.Directory.Exists(directory)
            ? [.. Tree(directory).SelectMany(cgroup => Words(Path.Combine(cgroup, "cgroup.procs"))).Select(word => int.Parse(word, CultureInfo.InvariantCulture))]
            : [];
    }

    /// <summary>Kills everything in a cgroup and below it, with no process escaping by forking. Idempotent.</summary>
    /// <param name="path">The cgroup.</param>
    public void Kill(string path)
    {
        if (IsV2 && Join(Layout.Unified!, path) is var directory && File.Exists(Path.Combine(directory, "cgroup.kill")))
        {
            Write(Path.Combine(directory, "cgroup.kill"), "1");
            return;
        }

        // Without cgroup.kill (v1, or v2 before Linux 5.14): frozen processes cannot fork; the signal acts when they thaw.
        Freeze(path, frozen: true);
        try
        {
            for (var round = 0; round < MaxKillRounds && KillRound(path); round++)
            {
            }
        }
        finally
        {
            Freeze(path, frozen: false);
        }
    }

    /// <summary>Stops or continues all processes of a cgroup. Does nothing where the machine has no freezer or no such cgroup.</summary>
    /// <param name="path">The cgroup.</param>
    /// <param name="frozen">Stop.</param>
    public void Freeze(string path, bool frozen)
    {
        if (Directory("freezer", path) is { } directory && System.IO.Directory.Exists(directory))
        {
            var (file, value) = IsV2 ? ("cgroup.freeze", frozen ? "1" : "0") : ("freezer.state", frozen ? "FROZEN" : "THAWED");
            Write(Path.Combine(directory, file), value);
        }
    }

    /// <summary>Removes a cgroup and those below it, in all hierarchies. Idempotent. False when processes keep it busy.</summary>
    /// <param name="path">The cgroup; never the root.</param>
    public bool TryRemove(string path)
    {
        if (path.Trim('/').Length == 0)
        {
            throw new ArgumentException("the root cgroup cannot be removed", nameof(path));
        }

        // The v2 hierarchy of a hybrid machine is included: a runtime may have made the cgroup there too.
        IEnumerable<string> roots = Layout.Mode == CgroupMode.Hybrid ? _roots.Append(Layout.Unified!) : _roots;
        var removed = true;
        foreach (var root in roots)
        {
            removed &= RemoveTree(Join(root, path));
        }

        return removed;
    }

    /// <summary>The names of the cgroups directly below one.</summary>
    /// <param name="path">The cgroup.</param>
    public IReadOnlyList<string> Children(string path) =>
        [.. _roots.Select(root => Join(root, path)).Where(System.IO.Directory.Exists)
            .SelectMany(System.IO.Directory.EnumerateDirectories).Select(child => Path.GetFileName(child)).Distinct(StringComparer.Ordinal)];

    /// <summary>The text of a cgroup's file; null when the controller, cgroup or file is not there.</summary>
    /// <param name="controller">The controller that has the file.</param>
    /// <param name="path">The cgroup.</param>
    /// <param name="file">The file.</param>
    public string? Read(string controller, string path, string file)
    {
        try
        {
            return Directory(controller, path) is { } directory ? File.ReadAllText(Path.Combine(directory, file)).Trim() : null;
        }
        catch (IOException)
        {
            return null; // The cgroup may vanish at any time (ENOENT, ENODEV).
        }
    }

    private static string Join(string root, string path) => Path.Combine(root, Checked(path).TrimStart('/'));

    // A cgroup parent comes from outside; it must not leave the hierarchy.
    private static string Checked(string path) =>
        path.Split('/').Contains("..") ? throw new ArgumentException($"cgroup path {path} leaves its root", nameof(path)) : path;

    private static IEnumerable<string> Tree(string directory) =>
        System.IO.Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Prepend(directory);

    internal static void Write(string file, string value)
    {
        try
        {
            using var stream = new FileStream(file, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, BufferSize = 0 });
            stream.Write(System.Text.Encoding.ASCII.GetBytes(value));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"write {value} to {file}: {failure.Message}", failure);
        }
    }

    internal static string[] Words(string file)
    {
        try
        {
            return File.ReadAllText(file).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        }
        catch (IOException)
        {
            return [];
        }
    }

    // rmdir alone: files of a cgroup are not deleted one by one, and Directory.Delete does not try to when not recursive.
    private static bool RemoveTree(string directory)
    {
        if (!System.IO.Directory.Exists(directory))
        {
            return true;
        }

        var all = Tree(directory).ToList();
        all.Reverse();
        foreach (var cgroup in all.OrderByDescending(path => path.Length))
        {
            try
            {
                System.IO.Directory.Delete(cgroup);
            }
            catch (DirectoryNotFoundException)
            {
            }
            catch (IOException)
            {
                return false;
            }
        }

        return true;
    }

    private bool KillRound(string path)
    {
        var processes = Processes(path);
        var alive = false;
        // A thread of ours may still be there: it started the cgroup's first process, and ends.
        foreach (var pid in processes.Where(pid => pid != Environment.ProcessId))
        {
            using var handle = PidFd.Open(pid);
            alive |= handle is not null && handle.Signal(Kill9) && ProcessIdentity.Read(pid) is not null;
        }

        // Frozen, the second look sees the same processes; a machine without freezer needs more looks.
        return alive && Directory("freezer", path) is null;
    }

    // v2: a controller works in a cgroup only when its parent passes it on.
    private void Delegate(string parent)
    {
        if (IsV2)
        {
            CgroupDelegation.Enable(parent, isTop: parent == Layout.Unified);
        }
    }

    // v1: a new cpuset allows nothing, and no process can enter it. One that is there may be what a crash left between the two steps.
    private void InheritCpuset(string parent, string child)
    {
        foreach (var file in IsV2 ? [] : new[] { "cpuset.cpus", "cpuset.mems" })
        {
            if (File.Exists(Path.Combine(child, file)) && Words(Path.Combine(child, file)).Length == 0)
            {
                Write(Path.Combine(child, file), File.ReadAllText(Path.Combine(parent, file)).Trim());
            }
        }
    }
}

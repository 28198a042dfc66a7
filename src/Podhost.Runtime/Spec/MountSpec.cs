using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Spec;

/// <summary>The mounts of the OCI configuration. Pure.</summary>
internal static class MountSpec
{
    internal static JsonArray Build(SpecInput input)
    {
        var context = input.Config.Linux?.SecurityContext;
        var privileged = context?.Privileged ?? false;
        var asked = input.Config.Mounts.Select(mount => (Destination: Clean(mount.ContainerPath), Mount: mount)).ToList();
        var taken = asked.Select(entry => entry.Destination).ToHashSet(StringComparer.Ordinal);
        var mounts = new List<(string Destination, JsonObject Entry)>();
        mounts.AddRange(SystemMounts(input, privileged).Where(mount => !taken.Contains(mount.Destination)));
        mounts.AddRange(SandboxFileMounts(input).Where(mount => !taken.Contains(mount.Destination)));
        // A mount below another one comes after it, whatever order they were asked in; equals keep their order.
        mounts.AddRange(asked.OrderBy(entry => Depth(entry.Destination)).Select(entry => (entry.Destination, AskedMount(input, entry.Destination, entry.Mount))));
        return new JsonArray([.. mounts.Select(mount => (JsonNode)mount.Entry)]);
    }

    private static IEnumerable<(string Destination, JsonObject Entry)> SystemMounts(SpecInput input, bool privileged)
    {
        var access = privileged ? "rw" : "ro";
        yield return Entry("/proc", "proc", "proc", "nosuid", "noexec", "nodev");
        yield return Entry("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k");
        yield return Entry("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5");
        // It shows the queues of the IPC namespace that it is mounted in: with hostIPC the host's, also where the host itself shows them nowhere.
        yield return Entry("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev");
        yield return Entry("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", access);
        yield return Entry("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", access);
    }

    // A read-only root makes these read-only too: the program could otherwise change what the root's /etc shows.
    private static IEnumerable<(string Destination, JsonObject Entry)> SandboxFileMounts(SpecInput input)
    {
        var access = input.Config.Linux?.SecurityContext?.ReadonlyRootfs ?? false ? "ro" : "rw";
        return input.SandboxFiles.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair =>
            pair.Key == "/dev/shm"
                ? Entry(pair.Key, "bind", pair.Value, "rbind", "nosuid", "noexec", "nodev", "rw")
                : Entry(pair.Key, "bind", pair.Value, "rbind", "rprivate", access));
    }

    private static JsonObject AskedMount(SpecInput input, string destination, Mount mount)
    {
        var source = input.MappedMounts.TryGetValue(mount.ContainerPath, out var mapped) ? mapped
            : mount.Image is null ? mount.HostPath : input.ImageMounts[mount.ContainerPath];
        if (source.Length == 0)
        {
            throw Invalid($"mount {destination}: host_path is empty");
        }

        return Entry(destination, "bind", source, "rbind", Propagation(destination, mount), ReadOnly(destination, mount)).Entry;
    }

    private static string Propagation(string destination, Mount mount) => mount.Propagation switch
    {
        MountPropagation.PropagationPrivate => "rprivate",
        MountPropagation.PropagationHostToContainer => "rslave",
        MountPropagation.PropagationBidirectional => "rshared",
        _ => throw Invalid($"mount {destination}: unknown propagation {mount.Propagation}"),
    };

    // CRI: recursive_read_only needs readonly and private propagation.
    private static string ReadOnly(string destination, Mount mount)
    {
        if (!mount.RecursiveReadOnly)
        {
            return mount.Image is not null || mount.Readonly ? "ro" : "rw";
        }

        return mount.Readonly && mount.Propagation == MountPropagation.PropagationPrivate
            ? "rro"
            : throw Invalid($"mount {destination}: recursive_read_only needs readonly and no propagation");
    }

    private static (string Destination, JsonObject Entry) Entry(string destination, string type, string source, params string[] options) => (destination, new JsonObject
    {
        ["destination"] = destination,
        ["type"] = type,
        ["source"] = source,
        ["options"] = SpecBuilder.Strings(options),
    });

    private static string Clean(string path)
    {
        if (!path.StartsWith('/'))
        {
            path = "/" + path;
        }

        return path.Length > 1 ? Path.GetFullPath(path).TrimEnd('/') is { Length: > 0 } clean ? clean : throw Invalid($"mount on {path}") : throw Invalid("a mount on / is not possible");
    }

    private static int Depth(string path) => path.Count(letter => letter == '/');

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));
}

using System.Text;
using Podhost.Cri.V1;
using Podhost.Linux.Mounts;
using Podhost.Linux.Paths;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Sandboxes;

/// <summary>The files of a sandbox that its containers see: hostname, hosts, resolv.conf, /dev/shm.</summary>
internal sealed class SandboxFiles(RuntimePaths paths, IMounter mounter)
{
    private const string SharedMemoryOptions = "mode=1777,size=65536k";

    internal void Create(SandboxRecord record)
    {
        var directory = paths.SandboxDirectory(record.Id);
        // Readable by any user of a container: the files are mounted into it.
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "hostname"), Hostname(record) + "\n");
        File.WriteAllText(Path.Combine(directory, "resolv.conf"), ResolvConf(record.Config.DnsConfig) ?? ReadHost("/etc/resolv.conf"));
        File.WriteAllText(Path.Combine(directory, "hosts"), ReadHost("/etc/hosts"));
        if (record.Namespaces.Ipc != NamespaceMode.Node)
        {
            Directory.CreateDirectory(paths.SharedMemory(record.Id));
            mounter.Mount("shm", paths.SharedMemory(record.Id), "tmpfs", MountFlags.NoSuid | MountFlags.NoDev | MountFlags.NoExec, SharedMemoryOptions);
        }

        if (record.Users is { } users)
        {
            // Root of the pod may write them, as root of the machine may in other pods.
            foreach (var path in For(record).Values)
            {
                PathOwnership.SetOwner(path, users.Uids.HostId, users.Gids.HostId);
            }
        }
    }

    /// <summary>Idempotent.</summary>
    internal void Remove(string sandboxId)
    {
        ReleaseSharedMemory(sandboxId);
        if (Directory.Exists(paths.SandboxDirectory(sandboxId)))
        {
            Directory.Delete(paths.SandboxDirectory(sandboxId), recursive: true);
        }
    }

    internal void ReleaseSharedMemory(string sandboxId) => mounter.Unmount(paths.SharedMemory(sandboxId));

    /// <summary>The files by their place in a container.</summary>
    internal IReadOnlyDictionary<string, string> For(SandboxRecord record)
    {
        var directory = paths.SandboxDirectory(record.Id);
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["/etc/hostname"] = Path.Combine(directory, "hostname"),
            ["/etc/hosts"] = Path.Combine(directory, "hosts"),
            ["/etc/resolv.conf"] = Path.Combine(directory, "resolv.conf"),
            ["/dev/shm"] = record.Namespaces.Ipc == NamespaceMode.Node ? "/dev/shm" : paths.SharedMemory(record.Id),
        };
    }

    internal static string Hostname(SandboxRecord record) =>
        record.Config.Hostname.Length > 0 ? record.Config.Hostname : Environment.MachineName;

    /// <summary>The text of a resolv.conf; null when nothing is configured (the node's counts then).</summary>
    internal static string? ResolvConf(DNSConfig? dns)
    {
        if (dns is null || (dns.Servers.Count == 0 && dns.Searches.Count == 0 && dns.Options.Count == 0))
        {
            return null;
        }

        var text = new StringBuilder();
        if (dns.Searches.Count > 0)
        {
            text.Append("search ").AppendJoin(' ', dns.Searches).Append('\n');
        }

        foreach (var server in dns.Servers)
        {
            text.Append("nameserver ").Append(server).Append('\n');
        }

        if (dns.Options.Count > 0)
        {
            text.Append("options ").AppendJoin(' ', dns.Options).Append('\n');
        }

        return text.ToString();
    }

    private static string ReadHost(string file) => File.Exists(file) ? File.ReadAllText(file) : string.Empty;
}

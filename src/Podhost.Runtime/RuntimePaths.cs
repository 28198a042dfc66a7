namespace Podhost.Runtime;

/// <summary>Where the runtime keeps what. Ids are checked by their makers: hexadecimal digits alone.</summary>
internal sealed class RuntimePaths(EmbeddedRuntimeOptions options)
{
    internal string SandboxRecords { get; } = Path.Combine(options.DataDirectory, "sandboxes");

    internal string ContainerRecords { get; } = Path.Combine(options.DataDirectory, "containers");

    internal string Addresses { get; } = Path.Combine(options.DataDirectory, "network", options.Bridge);

    /// <summary>What CNI plugins have connected: kept over reboots, for their DEL.</summary>
    internal string CniAttachments { get; } = Path.Combine(options.DataDirectory, "network", "cni");

    internal string InfraRoot { get; } = Path.Combine(options.DataDirectory, "infra", "rootfs");

    internal string RuntimeVerdict { get; } = Path.Combine(options.DataDirectory, "oci-runtime.json");

    internal string NetworkNamespaces { get; } = Path.Combine(options.RunDirectory, "netns");

    internal string UtsNamespaces { get; } = Path.Combine(options.RunDirectory, "utsns");

    internal string IpcNamespaces { get; } = Path.Combine(options.RunDirectory, "ipcns");

    internal string UserNamespaces { get; } = Path.Combine(options.RunDirectory, "userns");

    /// <summary>
    /// What pods with users of their own are shown, a directory for each container with the mounts in it. Their first process goes there as
    /// a user that may enter no private directory: this one is open, the data directory is not.
    /// </summary>
    internal string Mapped { get; } = Path.Combine(options.RunDirectory, "mapped");

    /// <summary>Where a user namespace is tried at start; on the file system of the layers.</summary>
    internal string UserTrial { get; } = Path.Combine(options.DataDirectory, "infra", "trial");

    internal string UserVerdict { get; } = Path.Combine(options.DataDirectory, "user-namespaces.json");

    internal string SandboxFiles { get; } = Path.Combine(options.RunDirectory, "sandboxes");

    internal string Bundles { get; } = Path.Combine(options.RunDirectory, "conmon");

    internal string Exits { get; } = Path.Combine(options.RunDirectory, "exits");

    /// <summary>The OCI runtime's own state.</summary>
    internal string OciState { get; } = Path.Combine(options.RunDirectory, "oci");

    internal string Bundle(string id) => Path.Combine(Bundles, id);

    internal string SandboxDirectory(string id) => Path.Combine(SandboxFiles, id);

    internal string SharedMemory(string id) => Path.Combine(SandboxDirectory(id), "shm");

    internal string MappedDirectory(string id) => Path.Combine(Mapped, id);

    internal string ExitFile(string id) => Path.Combine(Exits, id);

    /// <summary>The mode of a directory that everyone may pass through, and only root may list.</summary>
    internal const UnixFileMode OpenDirectory =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    internal void CreateAll()
    {
        string[] all =
        [
            SandboxRecords, ContainerRecords, Addresses, CniAttachments, InfraRoot, NetworkNamespaces, UtsNamespaces, IpcNamespaces, UserNamespaces, SandboxFiles, Bundles, Exits, OciState,
        ];
        foreach (var directory in all)
        {
            // Records hold environment variables, and with them secrets.
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Directory.CreateDirectory(Mapped);
        File.SetUnixFileMode(Mapped, OpenDirectory);
    }
}

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

    internal string SandboxFiles { get; } = Path.Combine(options.RunDirectory, "sandboxes");

    internal string Bundles { get; } = Path.Combine(options.RunDirectory, "conmon");

    internal string Exits { get; } = Path.Combine(options.RunDirectory, "exits");

    /// <summary>The OCI runtime's own state.</summary>
    internal string OciState { get; } = Path.Combine(options.RunDirectory, "oci");

    internal string Bundle(string id) => Path.Combine(Bundles, id);

    internal string SandboxDirectory(string id) => Path.Combine(SandboxFiles, id);

    internal string SharedMemory(string id) => Path.Combine(SandboxDirectory(id), "shm");

    internal string ExitFile(string id) => Path.Combine(Exits, id);

    internal void CreateAll()
    {
        string[] all =
        [
            SandboxRecords, ContainerRecords, Addresses, CniAttachments, InfraRoot, NetworkNamespaces, UtsNamespaces, IpcNamespaces, SandboxFiles, Bundles, Exits, OciState,
        ];
        foreach (var directory in all)
        {
            // Records hold environment variables, and with them secrets.
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}

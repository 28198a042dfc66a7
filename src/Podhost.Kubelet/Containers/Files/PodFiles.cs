using k8s.Models;
using Podhost.Kubelet.Containers.Sandbox;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Containers.Files;

/// <summary>The files that the kubelet makes for containers besides volumes: hosts file, termination message, log directory.</summary>
internal sealed class PodFiles(ContainerConfigOptions options)
{
    private const UnixFileMode WorldReadable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode WorldWritable = WorldReadable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private readonly PodPaths _paths = new(options.RootDirectory);

    /// <summary>Writes the pod's hosts file where its content changed, in place: running containers have it mounted.</summary>
    public async Task<string> WriteHostsAsync(V1Pod pod, IReadOnlyList<string> podIPs, PodHostname hostname, CancellationToken cancellationToken)
    {
        var content = pod.Spec.HostNetwork == true
            ? HostsFile.OfNode(await File.ReadAllTextAsync(options.HostsFile, cancellationToken).ConfigureAwait(false), pod.Spec.HostAliases)
            : HostsFile.Managed(podIPs, hostname, pod.Spec.HostAliases);
        var path = _paths.EtcHosts(pod.Metadata.Uid);
        if (!File.Exists(path) || await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false) != content)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, content, cancellationToken).ConfigureAwait(false);
            File.SetUnixFileMode(path, WorldReadable);
        }

        return path;
    }

    /// <summary>An empty file for the termination message; anyone may write it, the container's user is not known here.</summary>
    public string CreateTerminationLog(V1Pod pod, string container, uint attempt)
    {
        var path = _paths.TerminationLog(pod.Metadata.Uid, container, attempt);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (File.Create(path))
        {
            File.SetUnixFileMode(path, WorldWritable);
        }

        return path;
    }

    /// <summary>The directory that a container's logs go to.</summary>
    public void CreateLogDirectory(V1Pod pod, string container) =>
        Directory.CreateDirectory(Path.Combine(PodNames.LogDirectory(options.PodLogsDirectory, pod), container));
}

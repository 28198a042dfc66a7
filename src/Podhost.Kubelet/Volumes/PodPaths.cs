namespace Podhost.Kubelet.Volumes;

/// <summary>Where a pod's files are: <c>root/pods/uid/…</c>, as upstream lays them out. Pure; names that would leave the directory are refused.</summary>
internal sealed class PodPaths(string root)
{
    /// <summary>Directory of all pods.</summary>
    public string Pods => Path.Combine(root, "pods");

    public string Pod(string uid) => Path.Combine(Pods, Name(uid));

    public string Volumes(string uid) => Path.Combine(Pod(uid), "volumes");

    /// <summary>A volume: <c>volumes/kubernetes.io~kind/name</c>.</summary>
    public string Volume(string uid, string plugin, string name) => Path.Combine(Volumes(uid), plugin, Name(name));

    /// <summary>A link to a volume's block device: <c>volumeDevices/kubernetes.io~kind/name</c>.</summary>
    public string VolumeDevice(string uid, string plugin, string name) => Path.Combine(Pod(uid), "volumeDevices", plugin, Name(name));

    /// <summary>Bind mounts of subPaths: <c>volume-subpaths/volume/container/index</c>.</summary>
    public string SubPaths(string uid) => Path.Combine(Pod(uid), "volume-subpaths");

    public string SubPath(string uid, string volume, string container, int index) =>
        Path.Combine(SubPaths(uid), Name(volume), Name(container), index.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public string EtcHosts(string uid) => Path.Combine(Pod(uid), "etc-hosts");

    public string TerminationLog(string uid, string container, uint attempt) =>
        Path.Combine(Pod(uid), "containers", Name(container), attempt.ToString("x8", System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>A file name that stays where it is put.</summary>
    /// <exception cref="ArgumentException">It would not.</exception>
    private static string Name(string name) =>
        name.Length > 0 && name is not ("." or "..") && !name.AsSpan().ContainsAny('/', '\0')
            ? name
            : throw new ArgumentException($"\"{name}\" cannot be the name of a directory");
}

using k8s.Models;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes.Handlers;

/// <summary>hostPath: a path of the node, checked against its type. The kubelet owns nothing in it.</summary>
internal sealed class HostPathHandler : IVolumeHandler
{
    private const int DirectoryMode = 0x1ed; // 0755
    private const int FileMode = 0x1a4; // 0644

    public bool IsReadOnly => false;

    public bool Follows => false;

    public bool Handles(V1Volume volume) => volume.HostPath is not null;

    public Task<DateTimeOffset?> SetUpAsync(VolumeContext context, CancellationToken cancellationToken)
    {
        var (path, type) = (context.Volume.HostPath.Path, context.Volume.HostPath.Type ?? "");
        if (!path.StartsWith('/') || path.Split('/').Contains(".."))
        {
            throw new VolumeSetUpException($"hostPath \"{path}\" must be an absolute path without '..'");
        }

        Check(path, type);
        return Task.FromResult<DateTimeOffset?>(null);
    }

    /// <summary>Checks a path against a type, and makes it where the type asks for that.</summary>
    internal static void Check(string path, string type)
    {
        var kind = PathStatus.Read(path)?.Kind;
        switch (type)
        {
            case "":
            case "DirectoryOrCreate":
                // Without a type runtimes make a missing directory; a typed one must be a directory.
                CreateDirectory(path, kind);
                Require(type.Length == 0 || kind is null or PathKind.Directory, path, "directory");
                break;
            case "FileOrCreate":
                CreateFile(path, kind);
                Require(kind is null or PathKind.File, path, "file");
                break;
            case "Directory":
                Require(kind == PathKind.Directory, path, "directory");
                break;
            case "File":
                Require(kind == PathKind.File, path, "file");
                break;
            case "Socket":
                Require(kind == PathKind.Socket, path, "socket file");
                break;
            case "CharDevice":
                Require(kind == PathKind.CharacterDevice, path, "character device");
                break;
            case "BlockDevice":
                Require(kind == PathKind.BlockDevice, path, "block device");
                break;
            default:
                throw new VolumeSetUpException($"{type} is an invalid volume type");
        }
    }

    private static void CreateDirectory(string path, PathKind? kind)
    {
        if (kind is null)
        {
            Directory.CreateDirectory(path, (UnixFileMode)DirectoryMode);
        }
    }

    private static void CreateFile(string path, PathKind? kind)
    {
        if (kind is null)
        {
            using (new FileStream(path, System.IO.FileMode.OpenOrCreate, FileAccess.Write))
            {
                PathOwnership.SetMode(path, FileMode);
            }
        }
    }

    private static void Require(bool condition, string path, string what)
    {
        if (!condition)
        {
            throw new VolumeSetUpException($"hostPath type check failed: {path} is not a {what}");
        }
    }
}

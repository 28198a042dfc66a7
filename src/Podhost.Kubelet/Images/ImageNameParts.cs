namespace Podhost.Kubelet.Images;

/// <summary>An image's name without what says which version: host, a port included, and path.</summary>
internal static class ImageNameParts
{
    private const string DockerHub = "docker.io";

    /// <summary>Host and path of a reference; short names are Docker Hub's.</summary>
    public static (string Host, string Path) Split(string image)
    {
        var name = image.Split('@')[0];
        var slash = name.IndexOf('/');
        var first = slash < 0 ? "" : name[..slash];
        var hasHost = first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost";
        var (host, path) = hasHost ? (first, name[(slash + 1)..]) : (DockerHub, slash < 0 ? "library/" + name : name);
        var colon = path.LastIndexOf(':');
        return (host == "index.docker.io" ? DockerHub : host, colon > path.LastIndexOf('/') ? path[..colon] : path);
    }

    /// <summary>The repository: <c>host/path</c>, without tag and digest.</summary>
    public static string Repository(string image)
    {
        var (host, path) = Split(image);
        return $"{host}/{path}";
    }
}

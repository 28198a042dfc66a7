namespace Podhost.Linux.Processes;

/// <summary>Finds installed programs in the usual directories, whatever PATH this process was given.</summary>
public static class ProgramFinder
{
    private static readonly string[] Directories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/libexec/podman", "/usr/libexec/crio"];

    /// <summary>The absolute path of a program; null when it is not installed.</summary>
    /// <param name="name">A name, or an absolute path.</param>
    public static string? Find(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name.StartsWith('/')
            ? (File.Exists(name) ? name : null)
            : Directories.Select(directory => $"{directory}/{name}").FirstOrDefault(File.Exists);
    }
}

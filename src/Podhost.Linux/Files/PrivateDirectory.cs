namespace Podhost.Linux.Files;

/// <summary>Directories that only their owner enters.</summary>
public static class PrivateDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// Creates a directory with mode 0700, or gives an existing one that mode: images hold setuid programs, which users of the host
    /// must not reach (as CVE-2021-41103 was for containerd).
    /// </summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    public static void Create(string path)
    {
        Directory.CreateDirectory(path, OwnerOnly);
        File.SetUnixFileMode(path, OwnerOnly);
    }
}

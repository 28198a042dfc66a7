using System.Net;
using System.Net.Sockets;

namespace Podhost.Doctor;

/// <summary>What the checks ask of the machine; narrow, so that tests can describe any machine.</summary>
internal interface IMachine
{
    /// <summary>Text of a file, or null where it cannot be read.</summary>
    string? Read(string path);

    /// <summary>True where the path exists.</summary>
    bool Exists(string path);

    /// <summary>Full path of a program, or null.</summary>
    string? Program(string name);

    /// <summary>True where the process runs as root.</summary>
    bool IsRoot { get; }

    /// <summary>Null where the TCP port can be bound, else why not.</summary>
    string? PortProblem(IPAddress address, int port);

    /// <summary>Bytes that can be written to the file system of a path (or of its nearest existing parent), and its size.</summary>
    (long Free, long Total) DiskBytes(string path);
}

/// <summary>The machine that this process runs on.</summary>
internal sealed class LocalMachine : IMachine
{
    private static readonly string[] FurtherDirectories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/libexec", "/usr/lib/cri-o-runc/sbin"];

    public bool IsRoot => Environment.UserName == "root";

    public string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    public string? Program(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(FurtherDirectories)
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);

    public string? PortProblem(IPAddress address, int port)
    {
        try
        {
            using var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(address, port));
            return null;
        }
        catch (SocketException e)
        {
            return e.Message;
        }
    }

    public (long Free, long Total) DiskBytes(string path)
    {
        var existing = path;
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
        {
            existing = parent;
        }

        var drive = new DriveInfo(existing);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }
}

using System.Text;
using Podhost.Linux.Mounts;
using Podhost.Linux.Native;

namespace Podhost.Linux.Namespaces;

/// <summary>
/// Runs code on a thread of its own that may change its namespaces, credentials and root: all of these belong to a thread, not to the
/// process, and the thread ends with the code, so nothing leaks to another user of a pooled thread. The code must not await.
/// </summary>
public static unsafe class NamespaceThread
{
    private const int StackBytes = 256 * 1024;
    private const int CloneFs = 0x200;
    private const int Detach = 2;

    /// <summary>Runs the code on a new thread and gives its result or failure.</summary>
    /// <typeparam name="T">The result.</typeparam>
    /// <param name="body">The code; synchronous to its end.</param>
    public static Task<T> RunAsync<T>(Func<T> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(
            () =>
            {
                try
                {
                    result.SetResult(body());
                }
                catch (Exception failure)
                {
                    result.SetException(failure);
                }
            },
            StackBytes)
        {
            IsBackground = true,
            Name = "namespaces",
        };
        thread.Start();
        return result.Task;
    }

    /// <summary>Runs code inside an existing namespace.</summary>
    /// <typeparam name="T">The result.</typeparam>
    /// <param name="path">The namespace's file: a pin, or /proc/PID/ns/X.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="body">The code; sockets it opens stay in the namespace wherever they are used later.</param>
    public static Task<T> RunInAsync<T>(string path, NamespaceKinds kind, Func<T> body) => RunAsync(() =>
    {
        Enter(path, kind);
        return body();
    });

    /// <summary>Gives the calling thread new namespaces of these kinds.</summary>
    /// <param name="kinds">The kinds.</param>
    public static void Unshare(NamespaceKinds kinds)
    {
        // A thread that shares its root and working directory with others may not change its mount namespace.
        var flags = (int)kinds | (kinds.HasFlag(NamespaceKinds.Mount) ? CloneFs : 0);
        LinuxException.ThrowIf(Libc.unshare(flags) != 0, $"create namespaces ({kinds})");
    }

    /// <summary>Moves the calling thread into a namespace.</summary>
    /// <param name="path">The namespace's file.</param>
    /// <param name="kind">Its kind.</param>
    public static void Enter(string path, NamespaceKinds kind)
    {
        using var handle = Descriptors.OpenReadOnly(path);
        LinuxException.ThrowIf(Libc.setns(Descriptors.Number(handle), (int)kind) != 0, $"enter namespace {path}");
    }

    /// <summary>The file of a namespace of the calling thread.</summary>
    /// <param name="kind">One kind.</param>
    public static string CurrentPath(NamespaceKinds kind) => $"/proc/self/task/{Libc.gettid()}/ns/{FileName(kind)}";

    /// <summary>The name of a kind under /proc/PID/ns.</summary>
    /// <param name="kind">One kind.</param>
    public static string FileName(NamespaceKinds kind) => kind switch
    {
        NamespaceKinds.Mount => "mnt",
        NamespaceKinds.Uts => "uts",
        NamespaceKinds.Ipc => "ipc",
        NamespaceKinds.Pid => "pid",
        NamespaceKinds.User => "user",
        NamespaceKinds.Network => "net",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "one kind of namespace is meant"),
    };

    /// <summary>Keeps a namespace of the calling thread alive at a path, until that is unmounted.</summary>
    /// <param name="kind">One kind.</param>
    /// <param name="path">A file, made when absent.</param>
    /// <param name="mounter">The mounts.</param>
    public static void Pin(NamespaceKinds kind, string path, IMounter mounter) => Pin(CurrentPath(kind), path, mounter);

    /// <summary>Keeps a namespace of a process alive at a path, until that is unmounted.</summary>
    /// <param name="pid">The process; must not end meanwhile.</param>
    /// <param name="kind">One kind.</param>
    /// <param name="path">A file, made when absent.</param>
    /// <param name="mounter">The mounts.</param>
    public static void PinOf(int pid, NamespaceKinds kind, string path, IMounter mounter) =>
        Pin(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/{pid}/ns/{FileName(kind)}"), path, mounter);

    private static void Pin(string source, string path, IMounter mounter)
    {
        ArgumentNullException.ThrowIfNull(mounter);
        File.WriteAllBytes(path, []);
        mounter.Bind(source, path, recursive: false);
    }

    /// <summary>Sets the host name of the calling thread's UTS namespace.</summary>
    /// <param name="name">At most 64 bytes.</param>
    public static void SetHostname(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        fixed (byte* start = bytes)
        {
            LinuxException.ThrowIf(Libc.sethostname(start, (nuint)bytes.Length) != 0, $"set host name {name}");
        }
    }

    /// <summary>
    /// Gives the calling thread a mount namespace in which only one directory exists, as the root. What it starts sees nothing of the host
    /// and holds none of the host's mounts.
    /// </summary>
    /// <param name="directory">The directory that becomes the root.</param>
    /// <param name="mounter">The mounts.</param>
    public static void ConfineTo(string directory, IMounter mounter)
    {
        ArgumentNullException.ThrowIfNull(mounter);
        Unshare(NamespaceKinds.Mount);
        mounter.SetPropagation("/", MountFlags.Private | MountFlags.Recursive);
        mounter.Bind(directory, directory, recursive: false);
        LinuxException.ThrowIf(Libc.chdir(directory) != 0, $"enter {directory}");
        fixed (byte* dot = "."u8.ToArray().Append((byte)0).ToArray())
        {
            // The old root is stacked on the new one by pivot_root(".", ".") and then taken away.
            LinuxException.ThrowIf(Libc.syscall(SystemCalls.PivotRoot, (nint)dot, (nint)dot, 0, 0, 0) != 0, $"make {directory} the root");
        }

        LinuxException.ThrowIf(Libc.umount2(".", Detach) != 0, "detach the old root");
        LinuxException.ThrowIf(Libc.chdir("/") != 0, "enter the new root");
    }
}

using System.Text;
using Podhost.Linux.Native;

namespace Podhost.Linux.Processes;

/// <summary>
/// Starts programs by posix_spawn: no fork of managed code, and no copying of page tables. The program gets the namespaces, root and
/// rights of the calling thread, default signal dispositions, no blocked signal, and only the descriptors that the request names.
/// </summary>
public static unsafe class ProcessSpawner
{
    private const short SetSigDef = 0x04;
    private const short SetSigMask = 0x08;
    private const short SetSid = 0x80;
    private const int ReadWrite = 2;

    private const nint CloseRangeCloseOnExec = 4;

    // Descriptors that this process itself was started with may lack close-on-exec; none of them is for the programs we start.
    static ProcessSpawner() => _ = Libc.syscall(SystemCalls.CloseRange, 3, unchecked((nint)uint.MaxValue), CloseRangeCloseOnExec, 0, 0);

    /// <summary>The environment variable PATH for programs that look for others.</summary>
    public const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Starts a program; throws <see cref="LinuxException"/> when it cannot be executed.</summary>
    /// <param name="request">What to start.</param>
    /// <returns>The process: the caller waits for its end, or it stays a zombie until this process ends.</returns>
    public static ChildProcess Spawn(SpawnRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var actions = stackalloc byte[256];
        var attributes = stackalloc byte[512];
        Libc.posix_spawn_file_actions_init(actions);
        Libc.posix_spawnattr_init(attributes);
        try
        {
            PrepareAttributes(attributes, request);
            PrepareDescriptors(actions, request);
            return new ChildProcess(Start(request, actions, attributes));
        }
        finally
        {
            Libc.posix_spawn_file_actions_destroy(actions);
            Libc.posix_spawnattr_destroy(attributes);
        }
    }

    private static void PrepareAttributes(byte* attributes, SpawnRequest request)
    {
        var noSignals = stackalloc byte[128];
        var allSignals = stackalloc byte[128];
        new Span<byte>(noSignals, 128).Clear();
        new Span<byte>(allSignals, 128).Fill(0xff);
        Libc.posix_spawnattr_setsigmask(attributes, noSignals);
        // .NET ignores SIGPIPE, and an ignored signal would stay ignored in the program.
        Libc.posix_spawnattr_setsigdefault(attributes, allSignals);
        Libc.posix_spawnattr_setflags(attributes, (short)(SetSigDef | SetSigMask | (request.NewSession ? SetSid : 0)));
    }

    private static void PrepareDescriptors(byte* actions, SpawnRequest request)
    {
        // A later dup2 must not overwrite a source that is still needed: our descriptors lie above every target.
        foreach (var descriptor in request.Descriptors)
        {
            var source = Descriptors.Number(descriptor.Handle);
            if (source != descriptor.Target && request.Descriptors.Any(other => Descriptors.Number(other.Handle) == descriptor.Target))
            {
                throw new ArgumentException($"descriptor {descriptor.Target} is a target and a source", nameof(request));
            }

            Check(Libc.posix_spawn_file_actions_adddup2(actions, source, descriptor.Target), "pass a descriptor");
        }

        for (var standard = 0; standard <= 2 && request.OpenNull; standard++)
        {
            if (!request.Descriptors.Any(descriptor => descriptor.Target == standard))
            {
                Check(Libc.posix_spawn_file_actions_addopen(actions, standard, "/dev/null", ReadWrite, 0), "open /dev/null");
            }
        }

        if (request.WorkingDirectory is { } directory)
        {
            Check(Libc.posix_spawn_file_actions_addchdir_np(actions, directory), "set the working directory");
        }
    }

    private static int Start(SpawnRequest request, byte* actions, byte* attributes)
    {
        using var argv = new NativeStrings([request.FileName, .. request.Arguments]);
        using var envp = new NativeStrings(request.Environment);
        int pid;
        fixed (byte* path = Encoding.UTF8.GetBytes(request.FileName + '\0'))
        {
            Check(Libc.posix_spawn(&pid, path, actions, attributes, argv.Pointer, envp.Pointer), $"start {request.FileName}");
        }

        return pid;
    }

    private static void Check(int errno, string operation)
    {
        if (errno != 0)
        {
            throw new LinuxException(errno, operation);
        }
    }
}

using System.Globalization;
using Podhost.Configuration;

namespace Podhost.Hosting;

/// <summary>
/// One process an instance: an exclusive lock on <c>&lt;run-dir&gt;/podhost.lock</c>, which the kernel lets go of when the process dies, however it
/// dies. The process id is in <c>podhost.pid</c> beside it.
/// </summary>
internal sealed class InstanceLock : IDisposable
{
    private readonly FileStream _lock;
    private readonly string _pidFile;

    private InstanceLock(FileStream held, string pidFile)
    {
        _lock = held;
        _pidFile = pidFile;
    }

    /// <summary>Takes the lock.</summary>
    /// <exception cref="ConfigurationException">Another process has it.</exception>
    public static InstanceLock Take(PodhostOptions options)
    {
        Directory.CreateDirectory(options.RunDir);
        try
        {
            var held = new FileStream(LockFile(options), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var pidFile = PidFile(options);
            File.WriteAllText(pidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new InstanceLock(held, pidFile);
        }
        catch (IOException)
        {
            throw new ConfigurationException($"--run-dir: {options.RunDir} is in use by process {ReadPid(options)?.ToString(CultureInfo.InvariantCulture) ?? "?"}: stop it with podhost down, or choose another");
        }
    }

    /// <summary>True where a process has the lock.</summary>
    public static bool IsHeld(PodhostOptions options)
    {
        if (!File.Exists(LockFile(options)))
        {
            return false;
        }

        try
        {
            using var free = new FileStream(LockFile(options), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>The process that has the lock, or null.</summary>
    public static int? HolderOf(PodhostOptions options) => IsHeld(options) ? ReadPid(options) : null;

    /// <inheritdoc />
    public void Dispose()
    {
        File.Delete(_pidFile);
        _lock.Dispose();
    }

    private static string LockFile(PodhostOptions options) => Path.Combine(options.RunDir, "podhost.lock");

    private static string PidFile(PodhostOptions options) => Path.Combine(options.RunDir, "podhost.pid");

    private static int? ReadPid(PodhostOptions options) =>
        File.Exists(PidFile(options)) && int.TryParse(File.ReadAllText(PidFile(options)), CultureInfo.InvariantCulture, out var pid) ? pid : null;
}

using System.Collections;
using Podhost.Configuration;
using Podhost.Linux.Processes;

namespace Podhost.Hosting;

/// <summary><c>podhost up --detach</c>: the same command in a session of its own, its output in a log file, awaited until it is ready.</summary>
internal static class DetachedStart
{
    /// <summary>Starts it and waits.</summary>
    /// <param name="options">The instance.</param>
    /// <param name="arguments">The command line without --detach.</param>
    /// <param name="cancellationToken">Ends the waiting, not the process.</param>
    /// <returns>The process id.</returns>
    /// <exception cref="ConfigurationException">It ended before it was ready; the message has the end of its log.</exception>
    public static async Task<int> StartAsync(PodhostOptions options, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.DataDir);
        var logPath = LogPath(options);
        using var ready = new ReadinessNotice.Receiver(options.RunDir);
        using var log = File.OpenHandle(logPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        var child = ProcessSpawner.Spawn(new SpawnRequest(SelfPath(), [.. SelfArguments(), .. arguments])
        {
            Environment = [.. Inherited(), ready.EnvironmentEntry],
            NewSession = true,
            Descriptors = [new InheritedDescriptor(log, 1), new InheritedDescriptor(log, 2)],
        });

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var started = ready.WaitAsync(stop.Token);
        var first = await Task.WhenAny(started, child.Exit);
        if (first == child.Exit)
        {
            await stop.CancelAsync();
            throw new ConfigurationException($"the server ended with exit code {await child.Exit} before it was ready; end of {logPath}:\n{Tail(logPath)}");
        }

        await started;
        return child.Pid;
    }

    /// <summary>Where a detached process writes its log.</summary>
    public static string LogPath(PodhostOptions options) => Path.Combine(options.DataDir, "podhost.log");

    private static string SelfPath() => Environment.ProcessPath ?? throw new ConfigurationException("the path of this executable is not known");

    // Under the SDK's host the process is dotnet and the assembly its first argument.
    private static IEnumerable<string> SelfArguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];

    private static IEnumerable<string> Inherited() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Where(e => (string)e.Key != "NOTIFY_SOCKET").Select(e => $"{e.Key}={e.Value}");

    private static string Tail(string path)
    {
        const int lines = 12;
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return string.Join('\n', reader.ReadToEnd().TrimEnd().Split('\n').TakeLast(lines));
    }
}

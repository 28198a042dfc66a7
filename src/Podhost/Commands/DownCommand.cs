using System.CommandLine;
using Podhost.Configuration;
using Podhost.Hosting;
using Podhost.Linux.Processes;

namespace Podhost.Commands;

/// <summary><c>podhost down</c>: stops the instance and its pods. Their objects stay: the next <c>podhost up</c> starts them again.</summary>
internal static class DownCommand
{
    public static Command Create(TimeProvider time)
    {
        var options = new InstanceOptions();
        var command = new Command("down", "stop the instance and its pods; their objects stay for the next podhost up");
        options.AddAllTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var instance = options.Read(parsed);
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteLineAsync(await StopAsync(instance, cancellationToken) ? "podhost: the server has stopped" : "podhost: the server was not running");
            var stopped = await Teardown.StopPodsAsync(instance, time, cancellationToken);
            await output.WriteLineAsync($"podhost: {stopped} pods stopped");
            return 0;
        });
        return command;
    }

    /// <summary>Ends the server process and waits for its end; false where none runs.</summary>
    public static async Task<bool> StopAsync(PodhostOptions instance, CancellationToken cancellationToken)
    {
        if (InstanceLock.HolderOf(instance) is not { } pid || PidFd.Open(pid) is not { } process)
        {
            return false;
        }

        using (process)
        {
            const int terminate = 15;
            process.Signal(terminate);
            await process.WaitForExitAsync(cancellationToken);
        }

        return true;
    }
}

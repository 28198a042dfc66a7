using System.CommandLine;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost server</c>: API server, store, scheduler and controllers without a node of their own; kubelets join.</summary>
internal static class ServerCommand
{
    public static Command Create(TimeProvider time)
    {
        var options = new InstanceOptions();
        var command = new Command("server", "run the control plane alone: kubelets join it");
        options.AddAllTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var instance = options.Read(parsed);
            NodeRanges.RefuseFromNode(instance);
            using var held = InstanceLock.Take(instance);
            using var logs = LogSetup.Create(instance.LogLevel);
            await using var plane = await ControlPlane.StartAsync(instance, NodeAddress.All(instance), time, logs, cancellationToken);
            var controllers = new Controllers(plane, instance, time, logs);
            ReadinessNotice.SendReady();
            await Loops.RunAllAsync([plane.CompactAsync, controllers.RunAsync, stop => QuietMemory.RunAsync(time, stop)], cancellationToken);
            return 0;
        });
        return command;
    }
}

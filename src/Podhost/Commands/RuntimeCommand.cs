using System.CommandLine;
using Podhost.Configuration;
using Podhost.Doctor;
using Podhost.Cri.Server;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost runtime</c>: the container runtime alone, behind a CRI socket, for crictl or another kubelet.</summary>
internal static class RuntimeCommand
{
    private const string UnixScheme = "unix://";

    public static Command Create(TimeProvider time)
    {
        var options = new InstanceOptions();
        var listen = new Option<string>("--listen") { Description = "socket, for example unix:///run/podhost/cri.sock", Required = true };
        var command = new Command("runtime", "run the container runtime alone, behind a CRI socket");
        options.AddAllTo(command);
        command.Options.Add(listen);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var instance = options.Read(parsed);
            var socket = parsed.GetValue(listen)!;
            if (!socket.StartsWith(UnixScheme + "/", StringComparison.Ordinal))
            {
                throw new ConfigurationException($"--listen: Invalid value: \"{socket}\": must be unix:///PATH");
            }

            using var held = InstanceLock.Take(instance);
            using var logs = LogSetup.Create(instance.LogLevel);
            await NodeModules.LoadAsync(new LocalMachine(), cancellationToken);
            await using var runtime = await RuntimeHost.StartAsync(instance, time, logs, cancellationToken);
            await using var server = new CriServer(new CriServerOptions { SocketPath = socket[UnixScheme.Length..] }, runtime.Runtime, runtime.Images, logs);
            await server.StartAsync(cancellationToken);
            ReadinessNotice.SendReady();
            await runtime.Completion.WaitAsync(cancellationToken);
            return 0;
        });
        return command;
    }
}

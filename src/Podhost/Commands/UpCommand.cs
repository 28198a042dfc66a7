using System.CommandLine;
using Podhost.Configuration;
using Podhost.Doctor;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost up</c>: everything in one process, in the foreground or detached.</summary>
internal static class UpCommand
{
    public static Command Create(TimeProvider time)
    {
        var options = new InstanceOptions();
        var detach = new Option<bool>("--detach", "-d") { Description = "run in the background; returns when the node is ready" };
        var command = new Command("up", "run API server, store, scheduler, controllers, kubelet and container runtime in one process");
        options.AddAllTo(command);
        command.Options.Add(detach);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var instance = options.Read(parsed);
            if (instance.StaticPodObjects)
            {
                throw new ConfigurationException("--static-pod-objects: with an API server pods have their ConfigMaps and Secrets from it");
            }

            NodeRanges.RefuseFromNode(instance);
            await NodeModules.LoadAsync(new LocalMachine(), cancellationToken);
            CheckMachine(instance);
            if (parsed.GetValue(detach))
            {
                var arguments = parsed.Tokens.Select(t => t.Value).Where(t => t is not ("--detach" or "-d")).ToList();
                var pid = await DetachedStart.StartAsync(instance, arguments, cancellationToken);
                await parsed.InvocationConfiguration.Output.WriteLineAsync(
                    $"podhost is up: process {pid}, log {DetachedStart.LogPath(instance)}\nexport KUBECONFIG={instance.AdminKubeconfig}");
                return 0;
            }

            using var held = InstanceLock.Take(instance);
            await using var cluster = new Cluster(instance, time);
            await cluster.RunAsync(ReadinessNotice.SendReady, cancellationToken);
            return 0;
        });
        return command;
    }

    // What doctor calls an error stops a start with one line; the rest is for doctor to tell.
    private static void CheckMachine(PodhostOptions instance)
    {
        if (InstanceLock.HolderOf(instance) is { } pid)
        {
            throw new ConfigurationException($"podhost is up already: process {pid} (podhost status says more)");
        }

        if (MachineChecks.All(new LocalMachine(), instance, running: false).FirstOrDefault(f => f.Level == FindingLevel.Error) is { } finding)
        {
            throw new ConfigurationException($"{finding.Check}: {finding.Text}: {finding.Advice}");
        }
    }
}

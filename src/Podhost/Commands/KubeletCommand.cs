using System.CommandLine;
using Podhost.Configuration;
using Podhost.Doctor;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost kubelet</c>: the node alone: static pods without any API server, or joined to one with --kubeconfig.</summary>
internal static class KubeletCommand
{
    public static Command Create(TimeProvider time)
    {
        var options = new InstanceOptions();
        var flags = new KubeletFlags();
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "join the control plane of this kubeconfig; without it only static pods run" };
        var bootstrap = new Option<string?>("--bootstrap-kubeconfig") { Description = "where --kubeconfig is not there or its certificate has ended, ask for a certificate with this one and write it" };
        var command = new Command("kubelet", "run the node alone: static pods, or a node of another control plane");
        options.AddAllTo(command);
        flags.AddAllTo(command);
        command.Options.Add(kubeconfig);
        command.Options.Add(bootstrap);
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(flags.Apply(parsed, options.Read(parsed)), parsed.GetValue(kubeconfig), parsed.GetValue(bootstrap), time, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(PodhostOptions instance, string? kubeconfig, string? bootstrap, TimeProvider time, CancellationToken cancellationToken)
    {
        Check(instance, kubeconfig, bootstrap);
        using var held = InstanceLock.Take(instance);
        using var logs = LogSetup.Create(instance.LogLevel);
        await NodeModules.LoadAsync(new LocalMachine(), cancellationToken);
        using var join = kubeconfig is null ? null : await NodeJoin.StartAsync(instance, kubeconfig, bootstrap, time, logs, cancellationToken);
        instance = await NodeRanges.OfJoinedNodeAsync(instance, join?.Client, time, logs, cancellationToken);
        await using var runtime = await RuntimeHost.StartAsync(instance, time, logs, cancellationToken);
        var node = new NodeHost(instance, join?.Client, runtime.Runtime, runtime.Images, join?.Certificates, time, logs)
        {
            ClusterDns = DnsSettings.Configured(instance) ?? [],
            ServiceProxyClient = instance.ServiceProxy == true ? join?.Client : null,
            OnListening = ReadinessNotice.SendReady,
        };
        await Loops.RunAllAsync(
            [node.RunAsync, stop => runtime.Completion.WaitAsync(stop), stop => QuietMemory.RunAsync(time, stop), .. join?.Loops ?? []],
            cancellationToken);
        return 0;
    }

    private static void Check(PodhostOptions instance, string? kubeconfig, string? bootstrap)
    {
        if (instance.StaticPodObjects && kubeconfig is not null)
        {
            throw new ConfigurationException("--static-pod-objects: with --kubeconfig pods have their ConfigMaps and Secrets from the API server");
        }

        if (bootstrap is not null && kubeconfig is null)
        {
            throw new ConfigurationException("--bootstrap-kubeconfig: say with --kubeconfig where the node's own kubeconfig shall be written");
        }

        if (instance.AllocateNodeCidrs)
        {
            throw new ConfigurationException("--allocate-node-cidrs: ranges are given by a control plane (podhost up, podhost server)");
        }

        if (instance.PodCidrFromNode && kubeconfig is null)
        {
            throw new ConfigurationException("--pod-cidr-from-node: there is nobody to give a range without an API server: say --kubeconfig too");
        }

        if (instance.ServiceProxy == true && kubeconfig is null)
        {
            throw new ConfigurationException("--service-proxy: there are no Services without an API server: say --kubeconfig too");
        }
    }
}

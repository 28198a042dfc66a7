using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Configuration;
using Podhost.Cri.Client;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Images;
using Podhost.Kubelet.Containers.Files;
using Podhost.Kubelet.Resources;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Netlink;
using Podhost.Linux.Nftables;
using Podhost.Network.NodeRoutes;
using Podhost.Runtime;
using Podhost.Runtime.Images;
using Podhost.Streaming.Server;

namespace Podhost.Hosting;

/// <summary>Stops or removes what an instance left running, without its server.</summary>
internal static class Teardown
{
    private const string GraceAnnotation = "io.kubernetes.pod.terminationGracePeriod";
    private const long DefaultGraceSeconds = 30;

    /// <summary>Stops every pod: its containers get their own grace at the same time, then the sandbox ends.</summary>
    /// <returns>How many pods there were.</returns>
    public static async Task<int> StopPodsAsync(PodhostOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (options.ContainerRuntimeEndpoint is { } endpoint)
        {
            await using var client = new CriClient(new CriClientOptions { Endpoint = endpoint }, time);
            return await StopPodsAsync(client.Runtime, cancellationToken);
        }

        using var logs = LogSetup.Create("warning");
        var (images, runtime) = await OpenAsync(options, logs, time, cancellationToken);
        using (images)
        {
            await using (runtime)
            {
                return await StopPodsAsync(runtime.Service, cancellationToken);
            }
        }
    }

    /// <summary>Removes every pod without waiting for its grace, the pod network and all directories of the instance.</summary>
    public static async Task RemoveEverythingAsync(PodhostOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var podLogs = options.ContainerRuntimeEndpoint is { } endpoint
            ? await RemovePodsOfAsync(endpoint, options, time, cancellationToken)
            : await RemoveEmbeddedAsync(options, time, cancellationToken);
        await NftNames.RemoveAsync(new NftProgram(), NftNames.Services(options.Bridge), cancellationToken);
        await NodeRouter.RemoveAsync(options.Bridge, NodeRanges.RouteFile(options), new NftProgram(), cancellationToken);
        RemoveDnsDevice(options);
        RemoveCgroups(options);
        DirectoryRemoval.Unmount(options.DataDir);
        DirectoryRemoval.Unmount(options.RunDir);
        var links = new LogLinks(options.PodLogsDir, NullLogger.Instance);
        foreach (var directory in podLogs)
        {
            links.Remove(directory);
        }

        foreach (var directory in (string[])[.. podLogs, options.RunDir, options.DataDir])
        {
            DirectoryRemoval.Delete(directory);
        }
    }

    private static void RemoveDnsDevice(PodhostOptions options)
    {
        if (DnsSettings.OwnDevice(options) is { } device)
        {
            using var netlink = NetlinkSocket.Open();
            new RouteNetlink(netlink).DeleteLink(device);
        }
    }

    private static async Task<IReadOnlyList<string>> RemoveEmbeddedAsync(PodhostOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        using var logs = LogSetup.Create("warning");
        var (images, runtime) = await OpenAsync(options, logs, time, cancellationToken);
        using (images)
        {
            await using (runtime)
            {
                var podLogs = await LogDirectoriesAsync(runtime.Service, options, cancellationToken);
                await runtime.RemoveAllAsync(cancellationToken);
                return podLogs;
            }
        }
    }

    // All pods, as kubeadm reset does: a runtime has one kubelet. Its images and its network stay: they are not ours.
    private static async Task<IReadOnlyList<string>> RemovePodsOfAsync(string endpoint, PodhostOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var client = new CriClient(new CriClientOptions { Endpoint = endpoint }, time);
        var podLogs = await LogDirectoriesAsync(client.Runtime, options, cancellationToken);
        var sandboxes = (await client.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest(), cancellationToken)).Items;
        await Task.WhenAll(sandboxes.Select(async s =>
        {
            await client.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = s.Id }, cancellationToken);
            await client.Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = s.Id }, cancellationToken);
        }));
        return podLogs;
    }

    private static async Task<IReadOnlyList<string>> LogDirectoriesAsync(IRuntimeService runtime, PodhostOptions options, CancellationToken cancellationToken)
    {
        var sandboxes = (await runtime.ListPodSandboxAsync(new ListPodSandboxRequest(), cancellationToken)).Items;
        return [.. sandboxes.Select(s => Path.Combine(options.PodLogsDir, $"{s.Metadata.Namespace}_{s.Metadata.Name}_{s.Metadata.Uid}"))];
    }

    private static async Task<int> StopPodsAsync(IRuntimeService runtime, CancellationToken cancellationToken)
    {
        var sandboxes = (await runtime.ListPodSandboxAsync(new ListPodSandboxRequest(), cancellationToken)).Items;
        await Task.WhenAll(sandboxes.Select(s => StopPodAsync(runtime, s.Id, cancellationToken)));
        return sandboxes.Count;
    }

    // A root of its own goes with the instance; below the shared root only the tree of pods is ours, and stays where others' pods are in it.
    private static void RemoveCgroups(PodhostOptions options)
    {
        var root = options.CgroupRoot.TrimEnd('/');
        new CgroupTree(CgroupLayout.Detect()).TryRemove(root.Length == 0 ? "/" + new ResourceOptions().PodsCgroup : root);
    }

    private static async Task<(EmbeddedImages Images, EmbeddedRuntime Runtime)> OpenAsync(
        PodhostOptions options, ILoggerFactory logs, TimeProvider time, CancellationToken cancellationToken)
    {
        var images = await EmbeddedImages.OpenAsync(ImageTools.EmbeddedOptions(options, new ImageProgress()), time, new Random(), logs, cancellationToken);
        try
        {
            return (images, await EmbeddedRuntime.StartAsync(RuntimeHost.EmbeddedOptions(options), images, new StreamingServerOptions(), logs, time, cancellationToken));
        }
        catch
        {
            images.Dispose();
            throw;
        }
    }

    private static async Task StopPodAsync(IRuntimeService runtime, string sandboxId, CancellationToken cancellationToken)
    {
        var filter = new ContainerFilter { PodSandboxId = sandboxId, State = new ContainerStateValue { State = ContainerState.ContainerRunning } };
        var running = (await runtime.ListContainersAsync(new ListContainersRequest { Filter = filter }, cancellationToken)).Containers;
        await Task.WhenAll(running.Select(c => runtime.StopContainerAsync(new StopContainerRequest { ContainerId = c.Id, Timeout = GraceOf(c) }, cancellationToken)));
        await runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = sandboxId }, cancellationToken);
    }

    private static long GraceOf(Container container) =>
        container.Annotations.TryGetValue(GraceAnnotation, out var text)
        && long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var seconds)
            ? seconds
            : DefaultGraceSeconds;
}

using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Nodes;

/// <summary>A sandbox of a test; disposing removes it.</summary>
internal sealed class Pod(CriNode node, string id, PodSandboxConfig config) : IAsyncDisposable
{
    public string Id => id;

    public PodSandboxConfig Config => config;

    public async Task<PodSandboxStatus> StatusAsync() =>
        (await node.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = id }, CriNode.Cancel)).Status;

    public Task StopAsync() => node.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = id }, CriNode.Cancel);

    public Task RemoveAsync() => node.Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = id }, CriNode.Cancel);

    public ContainerConfig Container(string script, Action<ContainerConfig>? change = null)
    {
        var name = node.Name("container");
        var container = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = name },
            Image = new ImageSpec { Image = node.Image },
            LogPath = name + ".log",
            Linux = new LinuxContainerConfig
            {
                Resources = new LinuxContainerResources(),
                SecurityContext = new LinuxContainerSecurityContext
                {
                    NamespaceOptions = config.Linux.SecurityContext.NamespaceOptions.Clone(),
                    RunAsUser = new Int64Value { Value = 0 },
                },
            },
        };
        container.Command.AddRange(["/bin/sh", "-c", script]);
        change?.Invoke(container);
        return container;
    }

    public async Task<string> CreateAsync(string script, Action<ContainerConfig>? change = null)
    {
        var request = new CreateContainerRequest { PodSandboxId = id, Config = Container(script, change), SandboxConfig = config };
        return (await node.Runtime.CreateContainerAsync(request, CriNode.Cancel)).ContainerId;
    }

    public async Task<string> RunAsync(string script, Action<ContainerConfig>? change = null)
    {
        var container = await CreateAsync(script, change);
        await node.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = container }, CriNode.Cancel);
        return container;
    }

    public async Task<ContainerStatus> StatusAsync(string container) =>
        (await node.Runtime.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = container }, CriNode.Cancel)).Status;

    public Task<ContainerStatus> ExitedAsync(string container) =>
        CriNode.UntilAsync(() => StatusAsync(container), status => status.State == ContainerState.ContainerExited);

    /// <summary>Runs a script to its end and gives what it printed.</summary>
    public async Task<string> OutputAsync(string script, Action<ContainerConfig>? change = null)
    {
        var status = await ExitedAsync(await RunAsync(script, change));
        Assert.True(status.ExitCode == 0, $"{status.ExitCode} {status.Message} {Log(status)}");
        return Log(status);
    }

    public async Task<ExecSyncResponse> TryExecAsync(string container, string script, long timeout = 30)
    {
        var request = new ExecSyncRequest { ContainerId = container, Timeout = timeout };
        request.Cmd.AddRange(["/bin/sh", "-c", script]);
        return await node.Runtime.ExecSyncAsync(request, CriNode.Cancel);
    }

    public async Task<string> ExecAsync(string container, string script)
    {
        var response = await TryExecAsync(container, script);
        Assert.True(response.ExitCode == 0, $"exit code {response.ExitCode}: {response.Stdout.ToStringUtf8()} {response.Stderr.ToStringUtf8()}");
        return response.Stdout.ToStringUtf8();
    }

    /// <summary>What a container wrote, without the log's own fields.</summary>
    public static string Log(ContainerStatus status) =>
        string.Concat(File.ReadLines(status.LogPath).Select(line => line.Split(' ', 4)).Select(parts => parts[3] + (parts[2] == "F" ? "\n" : "")));

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await RemoveAsync();
    }
}

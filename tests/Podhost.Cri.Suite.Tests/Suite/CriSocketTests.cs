using Podhost.Cri.Client;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;
using Podhost.Streaming.Contract;
using Podhost.Streaming.Proxy;

namespace Podhost.Cri.Suite.Tests.Suite;

/// <summary><c>--cri-socket</c>: the runtime behind a kubelet, seen and used by another client as crictl does.</summary>
public sealed class CriSocketTests(EmbeddedNode node) : CriSuite(node)
{
    [Fact]
    public async Task A_kubelets_pods_are_walked_through_the_socket()
    {
        var root = Directory.CreateTempSubdirectory("ph-crisock-").FullName;
        var manifests = Directory.CreateDirectory(Path.Combine(root, "manifests")).FullName;
        await File.WriteAllTextAsync(Path.Combine(manifests, "web.yaml"), Manifest(Node.Image), Cancel);
        var socket = Path.Combine(root, "cri.sock");
        await using (var podhost = new PodhostProcess(root, (Environment.ProcessId % 10000) + 10000))
        {
            await podhost.StartAsync("kubelet", "--pod-manifest-path", manifests, "--cri-socket", "unix://" + socket, "--node-name", "suite");
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(socket));
            await using var client = new CriClient(new CriClientOptions { Endpoint = socket }, TimeProvider.System);
            await WalkAsync(client);
        }

        Directory.Delete(root, recursive: true);
    }

    private static async Task WalkAsync(CriClient client)
    {
        var container = await CriNode.UntilAsync(
            async () => (await client.Runtime.ListContainersAsync(new ListContainersRequest(), Cancel)).Containers.FirstOrDefault(),
            found => found?.State == ContainerState.ContainerRunning);
        Assert.Equal(("web", "web-suite"), (container!.Metadata.Name, container.Labels["io.kubernetes.pod.name"]));
        var pod = Assert.Single((await client.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest(), Cancel)).Items);
        Assert.Equal(container.PodSandboxId, pod.Id);
        var exec = new ExecRequest { ContainerId = container.Id, Stdout = true, Cmd = { "cat", "/etc/hostname" } };
        var output = new MemoryStream();
        await using (var session = new SpdyUpstream(new Uri((await client.Runtime.ExecAsync(exec, Cancel)).Url), TimeProvider.System))
        {
            Assert.Equal(0, await session.ExecAsync("", [], false, new SessionStreams(null, output, null, null), Cancel).WaitAsync(TimeSpan.FromSeconds(60), Cancel));
        }

        Assert.Equal("web-suite\n", System.Text.Encoding.UTF8.GetString(output.ToArray()));
        Assert.Equal(container.Id, (await client.Runtime.ContainerStatsAsync(new ContainerStatsRequest { ContainerId = container.Id }, Cancel)).Stats.Attributes.Id);

        // What is stopped behind the kubelet's back is started again by it, as on any runtime.
        await client.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = container.Id }, Cancel);
        await CriNode.UntilAsync(
            async () => (await client.Runtime.ListContainersAsync(new ListContainersRequest(), Cancel)).Containers,
            list => list.Any(c => c.Id != container.Id && c.State == ContainerState.ContainerRunning && c.Metadata.Attempt == 1));
    }

    private static string Manifest(string image) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: default}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - {name: web, image: "{{image}}", command: [sleep, "1000"]}
        """;
}

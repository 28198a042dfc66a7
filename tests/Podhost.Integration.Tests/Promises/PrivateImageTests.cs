using Podhost.Integration.Tests.Instances;
using Podhost.Tests.Shared;

namespace Podhost.Integration.Tests.Promises;

/// <summary>A private registry: who may have an image, the first time and when it is on the node already.</summary>
public sealed class PrivateImageTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_private_image_is_given_only_to_pods_with_the_right_secret_also_when_it_is_here()
    {
        await using var registry = await RegistryProcess.StartAsync(authenticated: true);
        var image = await PrivateImage.PushAsync(registry, "team/app");
        await SecretAsync("right", registry.Host, RegistryProcess.Password);
        await SecretAsync("wrong", registry.Host, "guess");

        await K.ApplyAsync(Pod("stranger", image, "wrong"));
        await K.EventAsync("stranger", "Failed");
        await K.ApplyAsync(Pod("owner", image, "right"));
        await K.ReadyAsync("owner");

        // It is here now.
        await K.ApplyAsync(Pod("thief", image, "wrong"));
        await K.EventAsync("thief", "Failed");
        await K.ApplyAsync(Pod("friend", image, "right"));
        await K.ReadyAsync("friend");
        Assert.Contains("already present on machine", await EventsAsync("friend", "message"));
        foreach (var refused in new[] { "stranger", "thief" })
        {
            Assert.Equal("Pending", await K.FieldAsync(refused, ".status.phase"));
            Assert.Matches("(?i)unauthorized|authorization failed", await EventsAsync(refused, "message"));
            Assert.DoesNotContain("Started", await EventsAsync(refused, "reason"));
        }
    }

    [Fact]
    public async Task A_volume_shows_an_image_that_is_pulled_with_the_pods_secret()
    {
        await using var registry = await RegistryProcess.StartAsync(authenticated: true);
        var (image, digest) = await PrivateImage.PushBothAsync(registry, "team/data");
        await SecretAsync("mine", registry.Host, RegistryProcess.Password);
        var mounts = "volumeMounts: [{name: v, mountPath: /data}, {name: v, mountPath: /below, subPath: bin}]";
        string Spec(string volume, string more = "") => $"restartPolicy: Never\n  {more}\n  volumes: [{{name: v, image: {{reference: \"{volume}\"}}}}]";

        await K.ApplyAsync(ShellPod("peeper", "sleep 1000", mounts, Spec(image)));
        if (Instance.OnContainerd)
        {
            await K.WaitAsync("peeper", ".status.reason", "UnexpectedAdmissionError");
            Assert.Equal(
                "Pod was rejected: spec.volumes[0].image: image volumes are not supported by the runtime of this node",
                await K.FieldAsync("peeper", ".status.message"));
            return;
        }

        await K.ApplyAsync(ShellPod("reader", "ls /data /data/bin /below; touch /data/x 2>&1", mounts, Spec(image, "imagePullSecrets: [{name: mine}]")));
        await K.ApplyAsync(ShellPod("astray", "sleep 1000", mounts.Replace("subPath: bin", "subPath: none", StringComparison.Ordinal), Spec(digest, "imagePullSecrets: [{name: mine}]")));
        await K.ApplyAsync(ShellPod("aside", "ls -d /data || sleep 1000", "", Spec(image)));
        await K.WaitAsync("reader", ".status.phase", "Failed");
        Assert.Equal("/below:\nbusybox\nsleep\n\n/data:\nbin\nown\n\n/data/bin:\nbusybox\nsleep\ntouch: /data/x: Read-only file system\n", await K.OkAsync("logs reader"));
        Assert.Matches($"Successfully pulled image \"{image}\"", await EventsAsync("reader", "message"));

        // The events of a volume's image are the pod's own; its failure is each container's that mounts it.
        await K.WaitAsync("peeper", ".status.containerStatuses[0].state.waiting.reason", "ImagePullBackOff");
        Assert.Matches("(?i)unauthorized|authorization failed", await K.FieldAsync("peeper", ".status.containerStatuses[0].state.waiting.message"));
        await K.WaitAsync("astray", ".status.containerStatuses[0].state.waiting.reason", "CreateContainerError");
        Assert.Contains("has no directory none", await K.FieldAsync("astray", ".status.containerStatuses[0].state.waiting.message"));
        await K.ReadyAsync("aside");
        await K.OkAsync("delete pod peeper reader astray aside --grace-period=0 --force");
    }

    private Task<string> EventsAsync(string pod, string field) =>
        K.OkAsync($"get events --field-selector=involvedObject.name={pod} -o", $"jsonpath={{.items[*].{field}}}");

    private Task<string> SecretAsync(string name, string host, string password) => K.OkAsync(
        $"create secret docker-registry {name} --docker-server={host} --docker-username={RegistryProcess.Username} --docker-password={password}");

    private static string Pod(string name, string image, string secret) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          terminationGracePeriodSeconds: 1
          imagePullSecrets: [{name: {{secret}}}]
          containers:
          - {name: main, image: "{{image}}", imagePullPolicy: IfNotPresent, command: [sleep, "1000"]}
        """;
}

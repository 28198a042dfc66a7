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

using System.Text.Json.Nodes;
using Podhost.Configuration;
using Podhost.Hosting;

namespace Podhost.Tests;

/// <summary>Fields of a KubeletConfiguration as the kubelet takes them.</summary>
public class KubeletSettingsTests
{
    [Fact]
    public void Security_by_default_and_users_of_pods_are_read_and_shown()
    {
        var options = Options("""{"seccompDefault":true,"userNamespaces":{"idsPerPod":131072}}""");
        var settings = KubeletSettings.Of(options);
        Assert.Equal((true, 131072u), (settings.SeccompDefault, settings.UserIdsPerPod));
        var without = KubeletSettings.Of(Options("{}"));
        Assert.Equal((false, 65536u), (without.SeccompDefault, without.UserIdsPerPod));
    }

    [Theory]
    [InlineData("""{"userNamespaces":{"idsPerPod":65537}}""", "userNamespaces.idsPerPod")]
    [InlineData("""{"userNamespaces":{"other":1}}""", "userNamespaces.other")]
    [InlineData("""{"seccompDefault":"yes"}""", "seccompDefault")]
    public void What_cannot_be_done_is_refused_by_name(string configuration, string field) =>
        Assert.Contains(field, Assert.ThrowsAny<Exception>(() => KubeletSettings.Of(Options(configuration))).Message, StringComparison.Ordinal);

    private static PodhostOptions Options(string kubelet) => new() { NodeName = "n", Kubelet = JsonNode.Parse(kubelet)!.AsObject() };
}

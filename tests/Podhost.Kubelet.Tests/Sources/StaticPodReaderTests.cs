using System.Text;
using Podhost.Kubelet.Sources;

namespace Podhost.Kubelet.Tests.Sources;

public sealed class StaticPodReaderTests
{
    private const string Good = """
        apiVersion: v1
        kind: Pod
        metadata:
          name: web
        spec:
          containers:
          - name: app
            image: a
        """;

    [Fact]
    public void A_pod_is_named_after_its_node_and_its_uid_follows_from_its_content()
    {
        var (first, again, other) = (Read(Good), Read(Good), Read(Good + "\n  hostNetwork: true\n"));
        Assert.Equal(("web-n1", "default", "n1"), (first.Pod!.Metadata.Name, first.Pod.Metadata.NamespaceProperty, first.Pod.Spec.NodeName));
        Assert.Equal(first.Uid, again.Uid);
        Assert.NotEqual(first.Uid, other.Uid);
        Assert.Empty(first.Unknown);
    }

    [Theory]
    [InlineData("image: a", "image: [a]", "line 8: spec.containers[0].image: json: cannot unmarshal array into Go struct field Container.spec.containers.image of type string")]
    [InlineData("image: a", "resources: {limits: {cpu: many}}", "line 8: spec.containers[0].resources.limits.cpu: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    [InlineData("name: app", "name: App", "line 7: spec.containers[0].name: Invalid value: \"App\": ")]
    [InlineData("  name: web", "  labels: {}", "line 3: metadata.name: Required value")]
    [InlineData("kind: Pod", "kind: Secret", "line 2: kind: Unsupported value: \"Secret\" of apiVersion \"v1\": supported values: Pod of v1")]
    [InlineData("image: a", "image: a\n    envFrom: [{configMapRef: {name: m}}]", "static pods may not reference configmaps")]
    [InlineData("spec:", "spec: {", "yaml: line ")]
    public void What_is_wrong_is_told_with_line_and_field(string good, string wrong, string message)
    {
        var fault = Assert.ThrowsAny<FormatException>(() => Read(Good.Replace(good, wrong, StringComparison.Ordinal)));
        Assert.StartsWith(message, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_field_that_pods_do_not_have_is_told_and_ignored()
    {
        var manifest = Read(Good.Replace("image: a", "image: a\n    imagePolicy: x", StringComparison.Ordinal));
        Assert.Equal(["line 9: unknown field \"spec.containers[0].imagePolicy\""], manifest.Unknown);
        Assert.NotNull(manifest.Pod);
    }

    [Fact]
    public void With_objects_pods_may_refer_to_them_but_to_nothing_else()
    {
        var refers = Good + "\n    envFrom: [{configMapRef: {name: m}}, {secretRef: {name: s}}]\n";
        Assert.NotNull(Read(refers, withObjects: true).Pod);
        var fault = Assert.ThrowsAny<FormatException>(() => Read(refers + "  serviceAccountName: x\n", withObjects: true));
        Assert.Equal("static pods may not reference serviceaccounts", fault.Message);
        var secret = Read("""{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "QQ=="}, "stringData": {"b": "B"}}""", withObjects: true).Secret!;
        Assert.Equal(("default", "A", "B"), (secret.Metadata.NamespaceProperty, Encoding.UTF8.GetString(secret.Data["a"]), Encoding.UTF8.GetString(secret.Data["b"])));
    }

    private static StaticManifest Read(string text, bool withObjects = false) => new StaticPodReader("n1", withObjects).Read("/manifests/web.yaml", Encoding.UTF8.GetBytes(text));
}

using CsCheck;
using k8s.Models;
using Podhost.Kubelet.Containers.Environment;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.PodConfig;

public sealed class EnvironmentTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("$(A)", "1")]
    [InlineData("x$(A)y$(B)z", "x1y2z")]
    [InlineData("$$(A)", "$(A)")]
    [InlineData("$$$(A)", "$1")]
    [InlineData("$$$$(A)", "$$(A)")]
    [InlineData("$(NONE)", "$(NONE)")]
    [InlineData("$(A", "$(A")]
    [InlineData("$A", "$A")]
    [InlineData("$", "$")]
    [InlineData("a$", "a$")]
    [InlineData("$()", "$()")]
    [InlineData("$(A$(B)", "$(A$(B)")]
    [InlineData("$(LOOP)", "$(A)")]
    public void Expansion(string text, string expected) => Assert.Equal(expected, VariableExpansion.Expand(text, Lookup));

    [Fact]
    public void Text_without_a_dollar_sign_stays_and_a_doubled_one_is_halved() => Gen.String.Sample(text =>
    {
        Assert.Equal(text.Replace("$", ""), VariableExpansion.Expand(text.Replace("$", ""), Lookup));
        Assert.Equal(text, VariableExpansion.Expand(text.Replace("$", "$$"), Lookup));
    });

    [Theory]
    [InlineData("A='1'", "A", "1")]
    [InlineData("# c\n\n  A='1'\nB='two words'\n", "B", "two words")]
    [InlineData("A='first\nsecond'\nB='2'", "A", "first\nsecond")]
    [InlineData("A='first\nsecond'\nB='2'", "B", "2")]
    [InlineData("A='x=$y#z'", "A", "x=$y#z")]
    [InlineData("A=''", "A", null)]
    [InlineData("A= '1'\nB='2'", "A", null)]
    [InlineData("A= '1'\nB='2'", "B", "2")]
    [InlineData("A='1' # why\nB='2'# too", "B", "2")]
    [InlineData("A='1'\r\nB='2\r\n3'\r\n", "B", "2\n3")]
    [InlineData("A='1'\nA='2'", "A", "1")]
    [InlineData("export A='1'", "export A", "1")]
    [InlineData("A='1'\nnot looked at", "A", "1")]
    [InlineData("A='1'", "B", null)]
    [InlineData("", "B", null)]
    public void Env_file(string text, string key, string? value) => Assert.Equal(value, EnvFile.Find(text, key));

    [Theory]
    [InlineData("A=1", "at line 1: value must be enclosed in single quotes")]
    [InlineData("A=", "at line 1: value must be enclosed in single quotes")]
    [InlineData("\n# c\nA='1", "starting at line 3: unclosed single quote")]
    [InlineData("A='1' B='2'", "at line 1: unexpected content after closing quote")]
    [InlineData("just words", "at line 1: missing '='")]
    [InlineData("A ='1'", "at line 1: whitespace before '=' is not allowed")]
    [InlineData("B='1\n2'\n='x'", "at line 3: empty variable name")]
    public void Env_file_of_another_form_is_refused(string text, string message) =>
        Assert.Equal("invalid environment variable format " + message, Assert.Throws<FormatException>(() => EnvFile.Find(text, "Z")).Message);

    [Fact]
    public void Env_file_never_fails_otherwise() => Gen.String.Sample(text =>
    {
        try
        {
            EnvFile.Find(text, "A");
        }
        catch (FormatException)
        {
        }
    });

    [Theory]
    [InlineData("plain é 日本", "\"plain é 日本\"")]
    [InlineData("a\"b\\c", "\"a\\\"b\\\\c\"")]
    [InlineData("\n\t\u0001\u007f", "\"\\n\\t\\x01\\x7f\"")]
    [InlineData("\u00a0\u200b", "\"\\u00a0\\u200b\"")]
    public void Quoting(string text, string quoted) => Assert.Equal(quoted, GoQuote.Quote(text));

    [Fact]
    public void Labels_and_annotations_are_lines_by_key()
    {
        var pod = Objects.Pod("containers: [{name: a}]");
        pod.Metadata.Labels = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" };
        Assert.Equal("a=\"1\"\nb=\"2\"", FieldPaths.Read("metadata.labels", pod, [], []));
        Assert.Equal("", FieldPaths.Read("metadata.labels['none']", pod, [], []));
        Assert.Throws<FieldPathException>(() => FieldPaths.Read("metadata.name['x']", pod, [], []));
    }

    [Fact]
    public void Service_links_can_be_switched_off_but_the_api_server_stays()
    {
        V1Service[] services = [Service("kubernetes", "default"), Service("db", "shop"), Service("kubernetes", "shop")];
        var off = ServiceVariables.Of(services, "shop", enableServiceLinks: false);
        Assert.Contains("KUBERNETES_SERVICE_HOST", off.Keys);
        Assert.DoesNotContain("DB_SERVICE_HOST", off.Keys);
        Assert.Contains("DB_SERVICE_HOST", ServiceVariables.Of(services, "shop", enableServiceLinks: true).Keys);
    }

    [Fact]
    public async Task A_container_waits_until_services_are_known_unless_its_pod_is_static()
    {
        var pod = Objects.Pod("containers: [{name: a}]");
        var objects = new FakeObjects { Services = null };
        var e = await Assert.ThrowsAsync<Podhost.Kubelet.Containers.ContainerConfigException>(() => Build(pod, objects));
        Assert.Equal("services have not yet been read at least once, cannot construct envvars", e.Message);

        pod.Metadata.Annotations = new Dictionary<string, string> { ["kubernetes.io/config.source"] = "file" };
        Assert.Empty((await Build(pod, objects)).Variables);
    }

    [Fact]
    public async Task A_key_that_cannot_be_a_name_is_left_out_and_told()
    {
        var objects = new FakeObjects();
        objects.SetConfigMap("m", ("good", "1"), ("b=d", "2"));
        var environment = await Build(Objects.Pod("containers: [{name: a, envFrom: [{configMapRef: {name: m}}]}]"), objects);
        Assert.Equal(["good"], environment.ByName.Keys);
        Assert.Equal(["b=d"], Assert.Single(environment.Invalid).Keys);
    }

    private static Task<ContainerEnvironment> Build(V1Pod pod, FakeObjects objects) => new EnvironmentBuilder(
        new EnvironmentInputs
        {
            Pod = pod, PodIPs = [], HostIPs = [], Node = Objects.Node(), Objects = objects, ReadVolumeFile = (_, _) => null,
        },
        pod.Spec.Containers[0]).BuildAsync(TestContext.Current.CancellationToken);

    private static string? Lookup(string name) => name switch { "A" => "1", "B" => "2", "LOOP" => "$(A)", _ => null };

    private static V1Service Service(string name, string ns) => Objects.From<V1Service>(
        $"metadata: {{name: {name}, namespace: {ns}}}\nspec: {{clusterIP: 10.0.0.1, ports: [{{port: 80}}]}}");
}

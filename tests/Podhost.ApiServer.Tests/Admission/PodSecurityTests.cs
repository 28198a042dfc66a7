using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.ApiServer.Admission.PodSecurity;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests.Admission;

/// <summary>Pod Security admission on its way through the server: modes, labels, exemptions.</summary>
public class PodSecurityTests
{
    private const string Plain = """{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}""";
    private const string Hard = """
        {"metadata":{"name":"p"},"spec":{"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
        "containers":[{"name":"c","image":"i","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}
        """;

    private const string Violations = "allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), "
        + "unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), "
        + "runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), "
        + "seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";

    [Fact]
    public async Task An_enforced_level_refuses_a_pod_and_says_all_that_is_wrong()
    {
        await using var cluster = await StartAsync();
        await NamespaceAsync(cluster, """{"pod-security.kubernetes.io/enforce":"restricted"}""");
        var answer = await cluster.PostAsync("/api/v1/namespaces/n/pods", Plain);
        Assert.Equal(403, answer.Code);
        Assert.Equal("Forbidden", answer.Reason);
        Assert.Equal($"pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": {Violations}", answer.Message);
        await cluster.CreateAsync("/api/v1/namespaces/n/pods", Hard);
    }

    [Fact]
    public async Task A_warning_level_warns_and_lets_through()
    {
        await using var cluster = await StartAsync();
        await NamespaceAsync(cluster, """{"pod-security.kubernetes.io/warn":"restricted","pod-security.kubernetes.io/warn-version":"v1.30"}""");
        var answer = await cluster.PostAsync("/api/v1/namespaces/n/pods", Plain);
        Assert.Equal(201, answer.Code);
        var expected = $"would violate PodSecurity \"restricted:v1.30\": {Violations}".Replace("\"", "\\\"", StringComparison.Ordinal);
        Assert.Equal([$"299 - \"{expected}\""], answer.Warnings);
    }

    [Fact]
    public async Task An_ephemeral_container_is_held_to_the_level()
    {
        await using var cluster = await StartAsync();
        await NamespaceAsync(cluster, """{"pod-security.kubernetes.io/enforce":"baseline"}""");
        await cluster.CreateAsync("/api/v1/namespaces/n/pods", Plain);
        var answer = await cluster.SendAsync(
            HttpMethod.Patch, "/api/v1/namespaces/n/pods/p/ephemeralcontainers",
            """{"spec":{"ephemeralContainers":[{"name":"d","image":"i","securityContext":{"privileged":true}}]}}""", "application/strategic-merge-patch+json");
        Assert.Equal("pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": privileged (container \"d\" must not set securityContext.privileged=true)", answer.Message);
    }

    [Fact]
    public async Task A_pod_that_was_there_before_may_still_be_labelled_but_not_given_another_image()
    {
        await using var cluster = await StartAsync();
        await NamespaceAsync(cluster, "{}");
        await cluster.CreateAsync("/api/v1/namespaces/n/pods", Plain);
        var labelled = await cluster.MergeAsync("/api/v1/namespaces/n", """{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}""");
        Assert.Equal(200, labelled.Code);
        Assert.Equal(
            [
                "299 - \"existing pods in namespace \\\"n\\\" violate the new PodSecurity enforce level \\\"restricted:latest\\\"\"",
                "299 - \"p: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile\"",
            ],
            labelled.Warnings);
        Assert.Equal(200, (await cluster.MergeAsync("/api/v1/namespaces/n/pods/p", """{"metadata":{"labels":{"a":"b"}}}""")).Code);
        Assert.Equal(403, (await cluster.SendAsync(
            HttpMethod.Patch, "/api/v1/namespaces/n/pods/p", """{"spec":{"containers":[{"name":"c","image":"j"}]}}""", "application/strategic-merge-patch+json")).Code);
    }

    [Fact]
    public async Task Labels_that_are_no_levels_are_refused()
    {
        await using var cluster = await StartAsync();
        var answer = await cluster.PostAsync(
            "/api/v1/namespaces", """{"metadata":{"name":"n","labels":{"pod-security.kubernetes.io/enforce":"strict","pod-security.kubernetes.io/warn-version":"1.2"}}}""");
        Assert.Equal(422, answer.Code);
        Assert.Equal(
            "Namespace \"n\" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strict\": must be one of privileged, baseline, restricted, "
            + "metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: \"1.2\": must be \"latest\" or \"v1.x\"]",
            answer.Message);
    }

    [Fact]
    public async Task Exempt_namespaces_are_told_so()
    {
        await using var cluster = await StartAsync(new PodSecurityOptions { Namespaces = ["n"] });
        var answer = await cluster.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"n","labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}""");
        Assert.Equal(["299 - \"namespace \\\"n\\\" is exempt from Pod Security, and the policy (enforce=restricted:latest) will be ignored\""], answer.Warnings);
        await cluster.CreateAsync("/api/v1/namespaces/n/pods", Plain);
    }

    [Fact]
    public async Task Users_and_runtime_classes_may_be_exempt_and_defaults_hold_without_labels()
    {
        var options = PodSecurityOptions.Parse(JsonNode.Parse(
            """{"defaults":{"enforce":"restricted","enforce-version":"v1.30"},"exemptions":{"usernames":["root"],"runtimeClasses":["vm"]}}""")!.AsObject());
        await using var cluster = await StartAsync(options);
        Assert.StartsWith("pods \"p\" is forbidden: violates PodSecurity \"restricted:v1.30\"", (await cluster.PostAsync("/api/v1/namespaces/default/pods", Plain)).Message);
        await cluster.CreateAsync("/api/v1/namespaces/default/pods", Plain.Replace("\"spec\":{", "\"spec\":{\"runtimeClassName\":\"vm\",", StringComparison.Ordinal));
        using var root = cluster.As(new Podhost.ApiServer.Authn.UserInfo("root", ["system:masters"]));
        Assert.Equal(201, (await cluster.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/pods", Plain.Replace("\"p\"", "\"q\"", StringComparison.Ordinal), via: root)).Code);
    }

    [Theory]
    [InlineData("""{"defaults":{"enforce":"strict"}}""", "defaults[enforce]: Invalid value: \"strict\": must be one of privileged, baseline, restricted")]
    [InlineData("""{"defaults":{"level":"baseline"}}""", "unknown field \"defaults.level\"")]
    [InlineData("""{"exemptions":{"users":[]}}""", "unknown field \"exemptions.users\"")]
    public void A_faulty_configuration_is_refused_by_its_field(string json, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => PodSecurityOptions.Parse(JsonNode.Parse(json)!.AsObject())).Message);

    private static Task<Cluster> StartAsync(PodSecurityOptions? options = null) => Cluster.StartAsync(dependencies: d => d with
    {
        AdmissionPlugins = _ => [new PodSecurityPlugin(options ?? new PodSecurityOptions(), NullLogger<PodSecurityPlugin>.Instance)],
    });

    private static Task<JsonObject> NamespaceAsync(Cluster cluster, string labels) =>
        cluster.CreateAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"n","labels":{{{labels}}}}}""");
}

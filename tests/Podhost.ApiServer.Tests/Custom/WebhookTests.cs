using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.ApiServer.Admission.Webhooks;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests.Custom;

public class WebhookTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    [Fact]
    public async Task A_mutating_webhook_changes_what_is_stored()
    {
        await using var hook = await HookServer.StartAsync(_ => Patch("""[{"op":"add","path":"/data/added","value":"yes"}]"""));
        await using var cluster = await StartAsync();
        await RegisterAsync(cluster, hook, "Mutating", "[\"CREATE\"]");
        var created = await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal("""{"k":"1","added":"yes"}""", created["data"]!.ToJsonString());
        var review = Assert.Single(hook.Reviews);
        var request = review["request"]!;
        Assert.Equal("admission.k8s.io/v1", review["apiVersion"]!.GetValue<string>());
        Assert.Equal("CREATE", request["operation"]!.GetValue<string>());
        Assert.Equal("""{"group":"","version":"v1","kind":"ConfigMap"}""", request["kind"]!.ToJsonString());
        Assert.Equal("""{"group":"","version":"v1","resource":"configmaps"}""", request["requestResource"]!.ToJsonString());
        Assert.Equal("a", request["name"]!.GetValue<string>());
        Assert.Equal("default", request["namespace"]!.GetValue<string>());
        Assert.Equal("admin", request["userInfo"]!["username"]!.GetValue<string>());
        Assert.Equal("CreateOptions", request["options"]!["kind"]!.GetValue<string>());
        Assert.False(request["dryRun"]!.GetValue<bool>());
        Assert.Null(request["oldObject"]);
        Assert.Equal("timeout=10s", hook.Queries.Single());
    }

    [Fact]
    public async Task A_validating_webhook_denies_creates_updates_and_deletes()
    {
        await using var hook = await HookServer.StartAsync(r => r["operation"]!.GetValue<string>() == "CREATE"
            ? new JsonObject { ["allowed"] = true, ["warnings"] = new JsonArray("take care") }
            : new JsonObject { ["allowed"] = false, ["status"] = new JsonObject { ["reason"] = "Forbidden", ["message"] = "not here", ["code"] = 403 } });
        await using var cluster = await StartAsync();
        await RegisterAsync(cluster, hook, "Validating", "[\"*\"]");
        var created = await cluster.PostAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal("299 - \"take care\"", Assert.Single(created.Warnings));
        foreach (var answer in new[] { await cluster.MergeAsync(Maps + "/a", """{"data":{"k":"2"}}"""), await cluster.DeleteAsync(Maps + "/a") })
        {
            Assert.Equal(403, answer.Code);
            Assert.Equal("admission webhook \"hook.example.com\" denied the request: not here", answer.Message);
        }

        Assert.Equal("1", hook.Reviews[1]["request"]!["oldObject"]!["data"]!["k"]!.GetValue<string>());
        Assert.Equal(200, (await cluster.GetAsync(Maps + "/a")).Code);
    }

    [Fact]
    public async Task A_webhook_that_cannot_be_called_fails_or_is_ignored_as_its_policy_says()
    {
        await using var cluster = await StartAsync();
        await using var hook = await HookServer.StartAsync(_ => new JsonObject { ["allowed"] = true });
        await RegisterAsync(cluster, hook, "Validating", "[\"CREATE\"]", isTrusted: false);
        var failed = await cluster.PostAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal(500, failed.Code);
        Assert.StartsWith("Internal error occurred: failed calling webhook \"hook.example.com\": failed to call webhook: Post \"https://localhost:", failed.Message);
        await cluster.SendAsync(HttpMethod.Patch, "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook",
            """[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]""", "application/json-patch+json");
        Assert.Equal(201, (await cluster.PostAsync(Maps, Cluster.ConfigMap("a"))).Code);
    }

    [Fact]
    public async Task A_webhook_that_hangs_ends_with_its_timeout()
    {
        await using var hook = await HookServer.StartAsync(_ => new JsonObject { ["allowed"] = true }, delay: TimeSpan.FromSeconds(20));
        await using var cluster = await StartAsync();
        await RegisterAsync(cluster, hook, "Validating", "[\"CREATE\"]", more: "\"timeoutSeconds\":1,");
        var failed = await cluster.PostAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal(500, failed.Code);
        Assert.EndsWith("context deadline exceeded", failed.Message);
    }

    [Fact]
    public async Task Selectors_say_which_objects_a_webhook_sees()
    {
        await using var hook = await HookServer.StartAsync(_ => new JsonObject { ["allowed"] = false });
        await using var cluster = await StartAsync();
        await RegisterAsync(cluster, hook, "Validating", "[\"CREATE\"]",
            more: "\"objectSelector\":{\"matchLabels\":{\"watched\":\"yes\"}},\"namespaceSelector\":{\"matchExpressions\":[{\"key\":\"kubernetes.io/metadata.name\",\"operator\":\"In\",\"values\":[\"default\"]}]},");
        Assert.Equal(201, (await cluster.PostAsync(Maps, Cluster.ConfigMap("a"))).Code);
        var denied = await cluster.PostAsync(Maps, Cluster.ConfigMap("b", labels: "{\"watched\":\"yes\"}"));
        Assert.Equal("admission webhook \"hook.example.com\" denied the request without explanation", denied.Message);
        Assert.Equal(400, denied.Code);
        Assert.Equal(201, (await cluster.PostAsync("/api/v1/namespaces/kube-system/configmaps", Cluster.ConfigMap("b", labels: "{\"watched\":\"yes\"}"))).Code);
    }

    [Fact]
    public async Task Webhooks_do_not_see_their_configurations_nor_what_their_rules_leave_out()
    {
        await using var hook = await HookServer.StartAsync(_ => new JsonObject { ["allowed"] = false });
        await using var cluster = await StartAsync();
        await RegisterAsync(cluster, hook, "Validating", "[\"*\"]", resources: "\"*\"", groups: "\"*\"", versions: "\"*\"");
        Assert.Equal(400, (await cluster.PostAsync(Maps, Cluster.ConfigMap("a"))).Code);
        Assert.Equal(200, (await cluster.DeleteAsync("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook")).Code);
        Assert.Equal(201, (await cluster.PostAsync(Maps, Cluster.ConfigMap("a"))).Code);
    }

    [Fact]
    public async Task A_dry_run_asks_only_those_without_side_effects()
    {
        await using var hook = await HookServer.StartAsync(_ => new JsonObject { ["allowed"] = true });
        await using var cluster = await StartAsync();
        await RegisterAsync(cluster, hook, "Validating", "[\"CREATE\"]");
        Assert.Equal(201, (await cluster.PostAsync(Maps + "?dryRun=All", Cluster.ConfigMap("a"))).Code);
        Assert.True(hook.Reviews[0]["request"]!["dryRun"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("\"name\":\"hook.example.com\"", "\"name\":\"hook\"", "webhooks[0].name: Invalid value: \"hook\": should be a domain with at least three segments separated by dots")]
    [InlineData("\"sideEffects\":\"None\"", "\"sideEffects\":\"Some\"", "webhooks[0].sideEffects: Unsupported value: \"Some\": supported values: \"None\", \"NoneOnDryRun\"")]
    [InlineData("\"admissionReviewVersions\":[\"v1\"]", "\"admissionReviewVersions\":[]", "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1")]
    [InlineData("https://", "http://", "webhooks[0].clientConfig.url: Invalid value: \"http://localhost/x\": 'https' is the only allowed URL scheme; desired format: https://host[/path]")]
    [InlineData("\"sideEffects\"", "\"timeoutSeconds\":31,\"sideEffects\"", "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds")]
    [InlineData("\"sideEffects\"", "\"matchConditions\":[{\"name\":\"a\",\"expression\":\"true\"}],\"sideEffects\"", "webhooks[0].matchConditions[0].expression: Forbidden: expressions of the Common Expression Language are not evaluated by this server, so the condition \"true\" would not be kept")]
    public async Task Faults_of_configurations_are_told(string from, string to, string message)
    {
        await using var cluster = await StartAsync();
        var body = Configuration("Validating", "{\"url\":\"https://localhost/x\"}", "[\"CREATE\"]", "", "\"configmaps\"", "\"\"", "\"v1\"");
        Assert.Contains(from, body);
        var answer = await cluster.PostAsync("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", body.Replace(from, to, StringComparison.Ordinal));
        Assert.Equal(422, answer.Code);
        Assert.EndsWith(message, answer.Message);
    }

    private static JsonObject Patch(string patch) => new()
    {
        ["allowed"] = true,
        ["patchType"] = "JSONPatch",
        ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch)),
    };

    private static Task<Cluster> StartAsync() => Cluster.StartAsync(dependencies: d => d with
    {
        AdmissionPlugins = objects => [new MutatingWebhookPlugin(objects, NullLogger.Instance), new ValidatingWebhookPlugin(objects, NullLogger.Instance)],
    });

    private static async Task RegisterAsync(
        Cluster cluster, HookServer hook, string kind, string operations, string more = "", bool isTrusted = true, string resources = "\"configmaps\"", string groups = "\"\"", string versions = "\"v1\"") =>
        await cluster.CreateAsync(
            $"/apis/admissionregistration.k8s.io/v1/{kind.ToLowerInvariant()}webhookconfigurations",
            Configuration(kind, isTrusted ? hook.ClientConfig() : $"{{\"url\":\"{hook.Url}\"}}", operations, more, resources, groups, versions));

    private static string Configuration(string kind, string client, string operations, string more, string resources, string groups, string versions) => $$$"""
        {"apiVersion":"admissionregistration.k8s.io/v1","kind":"{{{kind}}}WebhookConfiguration","metadata":{"name":"hook"},"webhooks":[{
          "name":"hook.example.com","clientConfig":{{{client}}},{{{more}}}
          "rules":[{"operations":{{{operations}}},"apiGroups":[{{{groups}}}],"apiVersions":[{{{versions}}}],"resources":[{{{resources}}}]}],
          "sideEffects":"None","admissionReviewVersions":["v1"]}]}
        """;
}

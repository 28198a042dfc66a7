using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
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
        await hook.RegisterAsync(cluster, "Mutating", "[\"CREATE\"]");
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
        await hook.RegisterAsync(cluster, "Validating", "[\"*\"]");
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
        await hook.RegisterAsync(cluster, "Validating", "[\"CREATE\"]", authorities: "");
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
        await hook.RegisterAsync(cluster, "Validating", "[\"CREATE\"]", more: "\"timeoutSeconds\":1,");
        var failed = await cluster.PostAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal(500, failed.Code);
        Assert.EndsWith("context deadline exceeded", failed.Message);
    }

    [Fact]
    public async Task Selectors_say_which_objects_a_webhook_sees()
    {
        await using var hook = await HookServer.StartAsync(_ => new JsonObject { ["allowed"] = false });
        await using var cluster = await StartAsync();
        await hook.RegisterAsync(cluster, "Validating", "[\"CREATE\"]",
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
        await hook.RegisterAsync(cluster, "Validating", "[\"*\"]", resources: "\"*\"", groups: "\"*\"", versions: "\"*\"");
        Assert.Equal(400, (await cluster.PostAsync(Maps, Cluster.ConfigMap("a"))).Code);
        Assert.Equal(200, (await cluster.DeleteAsync("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook")).Code);
        Assert.Equal(201, (await cluster.PostAsync(Maps, Cluster.ConfigMap("a"))).Code);
    }

    [Fact]
    public async Task A_dry_run_asks_only_those_without_side_effects()
    {
        await using var hook = await HookServer.StartAsync(_ => new JsonObject { ["allowed"] = true });
        await using var cluster = await StartAsync();
        await hook.RegisterAsync(cluster, "Validating", "[\"CREATE\"]");
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
        var body = HookServer.Configuration("Validating", "https://localhost/x", "", "[\"CREATE\"]", "", "\"configmaps\"", "\"\"", "\"v1\"");
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

    /// <summary>A webhook on a TLS port of loopback with a certificate of its own authority.</summary>
    private sealed class HookServer : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly string _authority;

        private HookServer(WebApplication app, string authority) => (_app, _authority) = (app, authority);

        public List<JsonObject> Reviews { get; } = [];

        public List<string> Queries { get; } = [];

        public static async Task<HookServer> StartAsync(Func<JsonObject, JsonObject> answer, TimeSpan delay = default)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
            builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(certificate)));
            var app = builder.Build();
            var server = new HookServer(app, certificate.ExportCertificatePem());
            app.Run(http => server.AnswerAsync(http, answer, delay));
            await app.StartAsync();
            return server;
        }

        public async Task RegisterAsync(
            Cluster cluster, string kind, string operations, string more = "", string? authorities = null, string resources = "\"configmaps\"", string groups = "\"\"", string versions = "\"v1\"")
        {
            var port = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
            var bundle = (authorities ?? _authority) is { Length: > 0 } pem ? $"\"caBundle\":\"{Convert.ToBase64String(Encoding.ASCII.GetBytes(pem))}\"," : "";
            await cluster.CreateAsync(
                $"/apis/admissionregistration.k8s.io/v1/{kind.ToLowerInvariant()}webhookconfigurations",
                Configuration(kind, $"https://localhost:{port}/hook", bundle, operations, more, resources, groups, versions));
        }

        public static string Configuration(string kind, string url, string bundle, string operations, string more, string resources, string groups, string versions) => $$$"""
            {"apiVersion":"admissionregistration.k8s.io/v1","kind":"{{{kind}}}WebhookConfiguration","metadata":{"name":"hook"},"webhooks":[{
              "name":"hook.example.com","clientConfig":{{{{bundle}}}"url":"{{{url}}}"},{{{more}}}
              "rules":[{"operations":{{{operations}}},"apiGroups":[{{{groups}}}],"apiVersions":[{{{versions}}}],"resources":[{{{resources}}}]}],
              "sideEffects":"None","admissionReviewVersions":["v1"]}]}
            """;

        public async ValueTask DisposeAsync()
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await _app.StopAsync(now.Token);
            await _app.DisposeAsync();
        }

        private async Task AnswerAsync(HttpContext http, Func<JsonObject, JsonObject> answer, TimeSpan delay)
        {
            var review = (await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted))!.AsObject();
            lock (Reviews)
            {
                Reviews.Add(review);
                Queries.Add(http.Request.QueryString.Value!.TrimStart('?'));
            }

            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, TimeProvider.System, http.RequestAborted);
            }

            var response = answer(review["request"]!.AsObject());
            response["uid"] = review["request"]!["uid"]!.GetValue<string>();
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(new JsonObject
            {
                ["kind"] = "AdmissionReview",
                ["apiVersion"] = review["apiVersion"]!.GetValue<string>(),
                ["response"] = response,
            }.ToJsonString());
        }
    }
}

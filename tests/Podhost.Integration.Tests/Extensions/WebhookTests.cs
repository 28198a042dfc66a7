using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Tests.Custom;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Extensions;

/// <summary>Admission webhooks that run in a pod behind a service.</summary>
public sealed class WebhookTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Webhooks_behind_a_service_change_and_deny_what_is_created()
    {
        var node = IPAddress.Parse(await Cluster.Kubectl.OkAsync($"get node {Cluster.Node} -o", "jsonpath={.status.addresses[?(@.type==\"InternalIP\")].address}"));
        await using var server = await HookServer.StartAsync(Answer, name: $"review.{K.Namespace}.svc", address: node);
        await ServeAsync(node, server.Port);
        await K.OkAsync($"label namespace {K.Namespace} reviewed=yes");
        var name = K.Namespace + "-review";
        await K.ApplyAsync(Configuration("MutatingWebhookConfiguration", name, server));
        await K.ApplyAsync(Configuration("ValidatingWebhookConfiguration", name, server));
        try
        {
            await K.OkAsync("create configmap changed --from-literal=k=v");
            Assert.Equal("yes", await K.OkAsync("get configmap changed -o", "jsonpath={.data.added}"));
            var denied = (await K.RunAsync("create configmap denied")).Fails();
            Assert.Contains("error: failed to create configmap: admission webhook \"review.example.com\" denied the request: not this one", denied);
            await K.ApplyAsync(ShellPod("plain", "sleep 1000"));
            await K.ReadyAsync("plain");
            Assert.Contains("denied the request: not this one", (await K.RunAsync("exec plain -- true")).Fails());
        }
        finally
        {
            await K.OkAsync($"delete mutatingwebhookconfiguration,validatingwebhookconfiguration {name}");
        }

        await K.OkAsync("exec plain -- true");
        await K.OkAsync("delete pod plain --wait=false");
    }

    // Adds data to what it is asked about first, and denies whatever is called denied, and every exec.
    private static JsonObject Answer(JsonObject request)
    {
        var isDenied = request["name"]?.GetValue<string>() == "denied" || request["operation"]!.GetValue<string>() == "CONNECT";
        return isDenied
            ? new JsonObject { ["allowed"] = false, ["status"] = new JsonObject { ["message"] = "not this one" } }
            : request["object"]?["data"] is JsonObject data && !data.ContainsKey("added")
            ? new JsonObject
            {
                ["allowed"] = true,
                ["patchType"] = "JSONPatch",
                ["patch"] = Convert.ToBase64String("""[{"op":"add","path":"/data/added","value":"yes"}]"""u8),
            }
            : new JsonObject { ["allowed"] = true };
    }

    private Task<string> ServeAsync(IPAddress node, int port) => K.ApplyAsync($$$"""
        apiVersion: v1
        kind: Service
        metadata: {name: review}
        spec: { ports: [ { port: 8443, targetPort: {{{port}}} } ] }
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: review-1, labels: {kubernetes.io/service-name: review}}
        addressType: IPv4
        endpoints: [{addresses: ["{{{node}}}"]}]
        ports: [ { port: {{{port}}} } ]
        """);

    private string Configuration(string kind, string name, HookServer server) => $$$"""
        apiVersion: admissionregistration.k8s.io/v1
        kind: {{{kind}}}
        metadata: { name: {{{name}}} }
        webhooks:
        - name: review.example.com
          clientConfig:
            service: { namespace: {{{K.Namespace}}}, name: review, path: /review, port: 8443 }
            caBundle: {{{Convert.ToBase64String(Encoding.ASCII.GetBytes(server.Authority))}}}
          namespaceSelector: { matchLabels: { reviewed: "yes" } }
          rules:
          - { operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps] }
          - { operations: [CONNECT], apiGroups: [""], apiVersions: [v1], resources: [pods/exec] }
          sideEffects: None
          admissionReviewVersions: [v1]
        """;

    [Fact]
    public async Task Nothing_is_admitted_by_a_webhook_whose_service_does_not_answer()
    {
        await K.ApplyAsync($$$"""
            apiVersion: v1
            kind: Service
            metadata: {name: hook}
            spec: {ports: [{port: 443}]}
            """);
        var name = K.Namespace + "-hook";
        await K.OkAsync($"label namespace {K.Namespace} hooked=yes");
        await K.ApplyAsync($$$"""
            apiVersion: admissionregistration.k8s.io/v1
            kind: ValidatingWebhookConfiguration
            metadata: { name: {{{name}}} }
            webhooks:
            - name: closed.example.com
              clientConfig: {service: {namespace: {{{K.Namespace}}}, name: hook, path: /closed}}
              namespaceSelector: {matchLabels: {hooked: "yes"}}
              rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]}]
              sideEffects: None
              timeoutSeconds: 5
              admissionReviewVersions: [v1]
            """);
        try
        {
            var refused = (await K.RunAsync("create configmap closed")).Fails();
            Assert.Contains("failed calling webhook \"closed.example.com\": failed to call webhook: Post \"https://hook.", refused);
            await K.OkAsync($"patch validatingwebhookconfiguration {name} --type=json -p", """[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]""");
            await K.OkAsync("create configmap open");
        }
        finally
        {
            await K.OkAsync($"delete validatingwebhookconfiguration {name}");
        }

        await K.OkAsync("create configmap later");
    }
}

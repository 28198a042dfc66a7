using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Extensions;

/// <summary>Custom kinds with real kubectl.</summary>
public sealed class CustomKindTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    private string Group => K.Namespace + ".example.com";

    [Fact]
    public async Task A_custom_kind_is_applied_explained_printed_scaled_and_deleted()
    {
        await DefineAsync("widgets", "Widget");
        await K.ApplyAsync(Widget("a", "size: 2"));
        Assert.Matches(@"NAME\s+SIZE\s+AGE\n\s*a\s+2\s+\d+s", await K.OkAsync("get wd"));
        Assert.Matches(@"COLOR\s*\n\s*a\s+2\s+\d+s\s+red", await K.OkAsync("get widgets -o wide"));
        Assert.Contains("How large it is", await K.OkAsync($"explain widgets.spec --api-version={Group}/v1"));
        Assert.Contains("<[]Object>", await K.OkAsync($"explain widgets --recursive --api-version={Group}/v1"));
        Assert.Contains("widgets", await K.OkAsync($"api-resources --api-group={Group}"));
        Assert.Contains("unknown field \"spec.bogus\"", (await K.RunAsync(["apply", "-f", "-"], Widget("b", "bogus: 1, size: 1"))).Fails());
        Assert.Contains("spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10",
            (await K.RunAsync(["apply", "-f", "-"], Widget("b", "size: 11"))).Fails());
        await K.OkAsync("scale widget a --replicas=5");
        Assert.Equal("5", await K.OkAsync("get widget a -o", "jsonpath={.spec.size}"));
        await K.OkAsync("patch widget a --subresource=status --type=merge -p", """{"status":{"replicas":5}}""");
        Assert.Equal("5 2", await K.OkAsync("get widget a -o", "jsonpath={.status.replicas} {.metadata.generation}"));
        (await K.RunAsync(["apply", "--server-side", "--field-manager=other", "-f", "-"], Widget("a", "ports: [{name: web, number: 80}], size: 5"))).Ok();
        Assert.Contains("other", await K.OkAsync("get widget a --show-managed-fields -o yaml"));
        await K.OkAsync("delete widget a");
        await K.OkAsync($"delete crd widgets.{Group}");
        Assert.Contains("the server could not find the requested resource", (await K.RunAsync($"get --raw /apis/{Group}/v1/widgets")).Fails());
    }

    [Fact]
    public async Task What_a_custom_object_owns_goes_with_it_and_it_goes_with_its_namespace()
    {
        await DefineAsync("owners", "Owner");
        await K.ApplyAsync(Widget("o", "size: 1", "Owner"));
        var uid = await K.OkAsync("get owner o -o", "jsonpath={.metadata.uid}");
        await K.ApplyAsync($$"""
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: owned
              ownerReferences: [{apiVersion: {{Group}}/v1, kind: Owner, name: o, uid: {{uid}} }]
            """);
        await K.ApplyAsync(Widget("dependent", "size: 1", "Owner", $"ownerReferences: [{{apiVersion: {Group}/v1, kind: Owner, name: o, uid: {uid}}}]"));
        await K.OkAsync("delete owner o");
        await K.OkAsync("wait --for=delete configmap/owned --timeout=30s");
        await K.OkAsync("wait --for=delete owner/dependent --timeout=30s");
        var inside = K.In(K.Namespace + "-inside");
        await K.OkAsync($"create namespace {inside.Namespace}");
        await inside.ApplyAsync(Widget("last", "size: 1", "Owner"));
        await K.OkAsync($"delete namespace {inside.Namespace} --timeout=40s");
        Assert.DoesNotContain("last", await K.OkAsync("get owners -A"));
        await K.OkAsync($"delete crd owners.{Group}");
    }

    private async Task DefineAsync(string plural, string kind)
    {
        const string definition = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: { name: PLURAL.GROUP }
            spec:
              group: GROUP
              scope: Namespaced
              names: { plural: PLURAL, kind: KIND, shortNames: [SHORT] }
              versions:
              - name: v1
                served: true
                storage: true
                subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.replicas}}
                additionalPrinterColumns:
                - {name: Size, type: integer, jsonPath: .spec.size}
                - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
                - {name: Color, type: string, jsonPath: .spec.color, priority: 1}
                schema:
                  openAPIV3Schema:
                    type: object
                    properties:
                      spec:
                        type: object
                        properties:
                          size: {type: integer, maximum: 10, description: How large it is}
                          color: {type: string, default: red}
                          ports:
                            type: array
                            x-kubernetes-list-type: map
                            x-kubernetes-list-map-keys: [name]
                            items: {type: object, required: [name], properties: {name: {type: string}, number: {type: integer}}}
                      status: {type: object, properties: {replicas: {type: integer}}}
            """;
        await K.ApplyAsync(definition
            .Replace("PLURAL", plural, StringComparison.Ordinal).Replace("GROUP", Group, StringComparison.Ordinal)
            .Replace("KIND", kind, StringComparison.Ordinal).Replace("SHORT", plural[..1] + "d", StringComparison.Ordinal));
        await K.OkAsync($"wait --for=condition=Established crd/{plural}.{Group} --timeout=30s");
    }

    private string Widget(string name, string spec, string kind = "Widget", string meta = "labels: {}") => $$"""
        apiVersion: {{Group}}/v1
        kind: {{kind}}
        metadata: { name: {{name}}, {{meta}} }
        spec: { {{spec}} }
        """;
}

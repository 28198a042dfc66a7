using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Conformance;

/// <summary>Requests to pods, services and nodes through the API server.</summary>
public sealed class ProxyTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Pods_services_and_nodes_are_reached_through_the_api_server()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: proxied, labels: {app: proxied}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: web, image: "docker.io/arisu1000/simple-container-app:latest", imagePullPolicy: Never, ports: [{containerPort: 8080, name: http}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: proxied}
            spec: {selector: {app: proxied}, ports: [{name: web, port: 80, targetPort: http}]}
            """);
        await K.ReadyAsync("proxied");
        await K.OkAsync("wait --for=jsonpath={.subsets[0].addresses[0].ip} endpoints/proxied --timeout=30s");
        const string page = "Hello, World!";
        var ns = $"/api/v1/namespaces/{K.Namespace}";
        Assert.Contains(page, await K.OkAsync($"get --raw {ns}/pods/proxied/proxy/"));
        Assert.Contains(page, await K.OkAsync($"get --raw {ns}/pods/proxied:8080/proxy/index.html"));
        Assert.Contains("QUERY_STRING=a=%2Fb", await K.OkAsync($"get --raw {ns}/pods/http:proxied:8080/proxy/cgi-bin/env?a=%2Fb"));
        Assert.Contains(page, await K.OkAsync($"get --raw {ns}/services/proxied/proxy/"));
        Assert.Contains(page, await K.OkAsync($"get --raw {ns}/services/proxied:web/proxy/"));
        Assert.Contains(page, await K.OkAsync($"get --raw {ns}/services/http:proxied:80/proxy/"));
        Assert.Contains("no service port 81 found", (await K.RunAsync($"get --raw {ns}/services/proxied:81/proxy/")).Fails());
        Assert.Contains("error trying to reach service", (await K.RunAsync($"get --raw {ns}/pods/proxied:9/proxy/")).Fails());
        Assert.Equal("ok", await K.OkAsync($"get --raw /api/v1/nodes/{Cluster.Node}/proxy/healthz"));
        Assert.Equal("ok", await K.OkAsync($"get --raw /api/v1/nodes/{Cluster.Node}:{Cluster.KubeletPort}/proxy/healthz"));
        Assert.Equal("ok", await K.OkAsync($"get --raw /api/v1/nodes/https:{Cluster.Node}:{Cluster.KubeletPort}/proxy/healthz"));
        await K.OkAsync("delete pod proxied --timeout=20s");
    }
}

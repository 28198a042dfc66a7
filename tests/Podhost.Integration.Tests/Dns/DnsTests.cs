using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Dns;

/// <summary>Names of Services and pods, asked from pods.</summary>
public sealed class DnsTests(ClusterFixture cluster) : DnsTest(cluster)
{
    private const string Client = "asks";

    [Fact]
    public async Task A_service_is_found_by_its_short_and_its_long_names_and_by_its_address()
    {
        await AddClientAsync();
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
            """);
        var address = await K.OkAsync("get service web -o", "jsonpath={.spec.clusterIP}");
        var whole = $"web.{K.Namespace}.svc.cluster.local";
        foreach (var name in new[] { "web", $"web.{K.Namespace}", $"web.{K.Namespace}.svc", whole })
        {
            await BecomesAsync(() => ResolveAsync(K, Client, name), a => a == address);
        }

        Assert.Contains($"Address: {address}", await LookUpAsync(K, Client, "a", whole));
        Assert.Equal("", await LookUpAsync(K, Client, "aaaa", whole)); // the name exists, without such an address
        Assert.Contains("NXDOMAIN", await LookUpAsync(K, Client, "a", $"no.{K.Namespace}.svc.cluster.local"));
        Assert.Contains($"service = 0 100 80 {whole}", await LookUpAsync(K, Client, "srv", $"_http._tcp.{whole}"));
        Assert.Contains($"name = {whole}", (await K.RunAsync(["exec", Client, "--", "nslookup", address], null)).Ok());
        Assert.Contains("text = \"1.1.0\"", await LookUpAsync(K, Client, "txt", "dns-version.cluster.local"));
        await K.OkAsync("delete service web");
        await BecomesAsync(() => LookUpAsync(K, Client, "a", whole), a => a.Contains("NXDOMAIN", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_headless_service_has_the_names_and_addresses_of_its_ready_pods()
    {
        await AddClientAsync();
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: db}
            spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}
            """);
        await K.ApplyAsync(Member("db-0", "db") + "\n---\n" + Member("db-1", "db") + "\n---\n" + Member("db-2", "db", ready: false));
        await K.ReadyAsync("db-0");
        await K.ReadyAsync("db-1");
        var (first, second) = (await K.FieldAsync("db-0", ".status.podIP"), await K.FieldAsync("db-1", ".status.podIP"));
        var whole = $"db.{K.Namespace}.svc.cluster.local";
        await BecomesAsync(() => LookUpAsync(K, Client, "a", whole), a => a.Contains(first, StringComparison.Ordinal) && a.Contains(second, StringComparison.Ordinal));
        Assert.Equal(first, await ResolveAsync(K, Client, "db-0.db"));
        Assert.Equal(second, await ResolveAsync(K, Client, $"db-1.{whole}"));
        Assert.Equal(first, await ResolveAsync(K, "db-0", "db-0")); // its own /etc/hosts
        Assert.Equal($"db-0.{whole}", (await K.ShAsync("db-0", "hostname -f")).Trim());
        Assert.Contains($"service = 0 50 5432 db-1.{whole}", await LookUpAsync(K, Client, "srv", $"_sql._tcp.{whole}"));
        Assert.Contains($"name = db-0.{whole}", (await K.RunAsync(["exec", Client, "--", "nslookup", first], null)).Ok());

        // Not ready: no name, until it is, or until that is said not to matter.
        Assert.Contains("NXDOMAIN", await LookUpAsync(K, Client, "a", $"db-2.{whole}"));
        await K.OkAsync("patch service db --type=merge -p", "{\"spec\":{\"publishNotReadyAddresses\":true}}");
        await BecomesAsync(() => LookUpAsync(K, Client, "a", $"db-2.{whole}"), a => a.Contains("Address", StringComparison.Ordinal));
        await K.OkAsync("patch service db --type=merge -p", "{\"spec\":{\"publishNotReadyAddresses\":false}}");
        await BecomesAsync(() => LookUpAsync(K, Client, "a", $"db-2.{whole}"), a => a.Contains("NXDOMAIN", StringComparison.Ordinal));
        await K.ShAsync("db-1", "rm /ready");
        await BecomesAsync(() => LookUpAsync(K, Client, "a", whole), a => !a.Contains(second, StringComparison.Ordinal));
        await K.OkAsync("delete pod db-0 db-1 db-2 --timeout=30s");
        await BecomesAsync(() => LookUpAsync(K, Client, "a", whole), a => a.Contains("NXDOMAIN", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_restarted_pod_has_its_name_and_new_address_and_still_resolves()
    {
        await AddClientAsync();
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: again}
            spec: {clusterIP: None, selector: {app: again}}
            """);
        await K.ApplyAsync(Member("again-0", "again"));
        await K.ReadyAsync("again-0");
        await K.OkAsync("delete pod again-0 --timeout=30s");
        await K.ApplyAsync(Member("again-0", "again"));
        await K.ReadyAsync("again-0");
        var address = await K.FieldAsync("again-0", ".status.podIP");
        await BecomesAsync(() => ResolveAsync(K, Client, "again-0.again"), a => a == address);
        Assert.NotEqual("", await ResolveAsync(K, "again-0", "kubernetes.default"));
    }

    [Fact]
    public async Task An_external_name_and_a_pods_address_lead_on()
    {
        await AddClientAsync();
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Service
            metadata: {name: alias}
            spec: {type: ExternalName, externalName: kubernetes.default.svc.cluster.local}
            """);
        var api = await Cluster.Kubectl.OkAsync("get service kubernetes -o", "jsonpath={.spec.clusterIP}");
        await BecomesAsync(() => ResolveAsync(K, Client, "alias"), a => a == api);
        Assert.Contains("canonical name = kubernetes.default.svc.cluster.local", await LookUpAsync(K, Client, "cname", $"alias.{K.Namespace}.svc.cluster.local"));
        var own = await K.FieldAsync(Client, ".status.podIP");
        Assert.Equal(own, await ResolveAsync(K, Client, $"{own.Replace('.', '-')}.{K.Namespace}.pod.cluster.local"));
    }

    [Fact]
    public async Task The_service_of_the_server_is_where_tools_look_for_it()
    {
        await AddClientAsync();
        var service = await Cluster.Kubectl.In("kube-system").JsonAsync("get service kube-dns");
        var address = service["spec"]!["clusterIP"]!.ToString();
        Assert.EndsWith(".10", address);
        Assert.Equal($"nameserver {address}", (await K.ShAsync(Client, "grep nameserver /etc/resolv.conf")).Trim());
        var node = (await Cluster.Kubectl.In("kube-system").OkAsync("get endpointslice kube-dns -o", "jsonpath={.endpoints[0].addresses[0]}")).Trim();
        Assert.Contains("Address", (await K.RunAsync(["exec", Client, "--", "nslookup", "kubernetes.default.svc.cluster.local.", node], null)).Ok());
        Assert.DoesNotContain("MissingClusterDNS", await K.OkAsync("get events"));
    }

    private async Task AddClientAsync()
    {
        await K.ApplyAsync(ShellPod(Client, "sleep 3600"));
        await K.ReadyAsync(Client);
    }
}

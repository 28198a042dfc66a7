using Podhost.ApiServer.Admission.Plugins;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

public class CreateTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    [Fact]
    public async Task A_new_object_gets_the_systems_metadata()
    {
        await using var cluster = await Cluster.StartAsync();
        var created = await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var meta = created["metadata"]!.AsObject();
        Assert.Equal("default", meta["namespace"]!.GetValue<string>());
        Assert.True(Guid.TryParse(meta["uid"]!.GetValue<string>(), out _));
        Assert.EndsWith("Z", meta["creationTimestamp"]!.GetValue<string>());
        var read = await cluster.GetAsync(Maps + "/a");
        Assert.Equal(created.ToJsonString(), read.Json.ToJsonString());
    }

    [Fact]
    public async Task Label_keys_of_a_pods_terms_are_written_into_its_selectors()
    {
        await using var cluster = await Cluster.StartAsync();
        const string Selector = """ "labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"kubernetes.io/hostname" """;
        var pod = await cluster.CreateAsync("/api/v1/namespaces/default/pods", """
            {"metadata":{"name":"p","labels":{"app":"web","version":"2"}},"spec":{
              "containers":[{"name":"c","image":"x"}],
              "topologySpreadConstraints":[{ SELECTOR, "maxSkew":1,"whenUnsatisfiable":"ScheduleAnyway","matchLabelKeys":["version","absent"]}],
              "affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{ SELECTOR, "mismatchLabelKeys":["version"]}]}}}}
            """.Replace("SELECTOR", Selector, StringComparison.Ordinal));
        Assert.Equal(
            """[{"key":"version","operator":"In","values":["2"]}]""",
            pod["spec"]!["topologySpreadConstraints"]![0]!["labelSelector"]!["matchExpressions"]!.ToJsonString());
        Assert.Equal(
            """[{"key":"version","operator":"NotIn","values":["2"]}]""",
            pod["spec"]!["affinity"]!["podAntiAffinity"]!["requiredDuringSchedulingIgnoredDuringExecution"]![0]!["labelSelector"]!["matchExpressions"]!.ToJsonString());
    }

    [Fact]
    public async Task A_second_object_of_the_name_is_refused()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        var again = await cluster.PostAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal(409, again.Code);
        Assert.Equal("AlreadyExists", again.Reason);
        Assert.Equal("configmaps \"a\" already exists", again.Message);
    }

    [Fact]
    public async Task GenerateName_makes_names_that_differ()
    {
        await using var cluster = await Cluster.StartAsync();
        const string body = """{"metadata":{"generateName":"x-"}}""";
        var first = (await cluster.CreateAsync(Maps, body))["metadata"]!["name"]!.GetValue<string>();
        var second = (await cluster.CreateAsync(Maps, body))["metadata"]!["name"]!.GetValue<string>();
        Assert.Matches("^x-[bcdfghjklmnpqrstvwxz2456789]{5}$", first);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public async Task Another_namespace_in_the_body_is_refused()
    {
        await using var cluster = await Cluster.StartAsync();
        var answer = await cluster.PostAsync(Maps, """{"metadata":{"name":"a","namespace":"other"}}""");
        Assert.Equal(400, answer.Code);
        Assert.Equal("the namespace of the provided object does not match the namespace sent on the request", answer.Message);
    }

    [Fact]
    public async Task Nothing_is_created_in_a_missing_namespace()
    {
        await using var cluster = await Cluster.StartAsync();
        var answer = await cluster.PostAsync("/api/v1/namespaces/nowhere/configmaps", Cluster.ConfigMap("a"));
        Assert.Equal(404, answer.Code);
        Assert.Equal("namespaces \"nowhere\" not found", answer.Message);
    }

    [Fact]
    public async Task Nothing_is_created_in_a_terminating_namespace()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync("/api/v1/namespaces", """{"metadata":{"name":"t"}}""");
        var deleted = await cluster.DeleteAsync("/api/v1/namespaces/t");
        Assert.Equal("Terminating", deleted.Json["status"]!["phase"]!.GetValue<string>());
        var answer = await cluster.PostAsync("/api/v1/namespaces/t/configmaps", Cluster.ConfigMap("a"));
        Assert.Equal(403, answer.Code);
        Assert.Equal("configmaps \"a\" is forbidden: unable to create new content in namespace t because it is being terminated", answer.Message);
        Assert.Equal("NamespaceTerminating", answer.Json["details"]!["causes"]![0]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task Dry_run_answers_and_stores_nothing()
    {
        await using var cluster = await Cluster.StartAsync();
        var answer = await cluster.PostAsync(Maps + "?dryRun=All", Cluster.ConfigMap("a"));
        Assert.Equal(201, answer.Code);
        Assert.Equal(404, (await cluster.GetAsync(Maps + "/a")).Code);
        await cluster.CreateAsync(Maps, Cluster.ConfigMap("a"));
        Assert.Equal(409, (await cluster.PostAsync(Maps + "?dryRun=All", Cluster.ConfigMap("a"))).Code);
        Assert.Equal(422, (await cluster.PostAsync(Maps + "?dryRun=Some", Cluster.ConfigMap("b"))).Code);
    }

    [Fact]
    public async Task Unknown_fields_warn_or_fail_as_asked()
    {
        await using var cluster = await Cluster.StartAsync();
        const string body = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"bogus":1}""";
        var strict = await cluster.PostAsync(Maps + "?fieldValidation=Strict", body);
        Assert.Equal(400, strict.Code);
        Assert.Equal("ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"bogus\"", strict.Message);
        var warn = await cluster.PostAsync(Maps, body);
        Assert.Equal(201, warn.Code);
        Assert.Equal("299 - \"unknown field \\\"bogus\\\"\"", Assert.Single(warn.Warnings));
        Assert.Null(warn.Json["bogus"]);
        Assert.Empty((await cluster.PutAsync(Maps + "/a?fieldValidation=Ignore", body)).Warnings);
    }

    [Fact]
    public async Task Yaml_goes_in_and_out()
    {
        await using var cluster = await Cluster.StartAsync();
        var answer = await cluster.SendAsync(
            HttpMethod.Post, Maps, "metadata:\n  name: yam\ndata:\n  k: v\n", "application/yaml", "application/yaml");
        Assert.True(answer.Code == 201, answer.Text);
        Assert.Equal("application/yaml", answer.ContentType);
        Assert.Contains("  k: v\n", answer.Text);
    }

    [Theory]
    [InlineData("application/cbor", "application/json", 415)]
    [InlineData("application/vnd.kubernetes.protobuf", "application/json", 400)]
    [InlineData("application/json", "application/vnd.kubernetes.protobuf", 406)]
    [InlineData("application/json", "application/vnd.kubernetes.protobuf,application/json", 201)]
    public async Task Media_types_that_are_not_served_are_refused(string contentType, string accept, int code)
    {
        await using var cluster = await Cluster.StartAsync();
        var answer = await cluster.SendAsync(HttpMethod.Post, Maps, Cluster.ConfigMap("a"), contentType, accept);
        Assert.Equal(code, answer.Code);
    }

    [Fact]
    public async Task A_protobuf_body_is_read_as_the_json_it_stands_for()
    {
        await using var cluster = await Cluster.StartAsync();

        // What kubectl 1.32 sends for: create service clusterip s --tcp=80:80
        var body = Convert.FromBase64String(
            "azhzAAoNCgJ2MRIHU2VydmljZRJgChsKAXMSABoAIgAqADIAOABCAFoICgNhcHASAXMSPQoYCgU4MC04MBIDVENQGFAiBggAEFAaACgAEggKA2FwcBIBcxoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==");
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://in-process/api/v1/namespaces/default/services")
        {
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/vnd.kubernetes.protobuf");
        using var invoker = cluster.As(Cluster.Admin);
        using var response = await invoker.SendAsync(request, Cluster.Deadline);
        var service = System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync(Cluster.Deadline))!;
        Assert.True((int)response.StatusCode == 201, service.ToJsonString());
        Assert.Equal("s", service["metadata"]!["name"]!.GetValue<string>());
        Assert.Equal("s", service["metadata"]!["labels"]!["app"]!.GetValue<string>());
        var port = service["spec"]!["ports"]![0]!;
        Assert.Equal("80-80", port["name"]!.GetValue<string>());
        Assert.Equal(80, port["targetPort"]!.GetValue<int>());
        Assert.Null(port["nodePort"]);
    }

    [Fact]
    public async Task A_node_port_is_given_kept_shared_by_protocols_and_given_once()
    {
        var addresses = new ServiceAddressesPlugin(System.Net.IPNetwork.Parse("10.96.0.0/16"));
        await using var cluster = await Cluster.StartAsync(dependencies: d => d with { AdmissionPlugins = _ => [addresses] });
        static string Service(string name, string ports, string type = "NodePort") =>
            $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"type":"{{{type}}}","selector":{"a":"b"},"ports":[{{{ports}}}]}}""";
        var path = "/api/v1/namespaces/default/services";

        var asked = await cluster.CreateAsync(path, Service("asked", """{"port":80,"nodePort":30080}"""));
        Assert.Equal(30080, asked["spec"]!["ports"]![0]!["nodePort"]!.GetValue<int>());

        var both = await cluster.CreateAsync(path, Service("both", """{"name":"u","port":53,"protocol":"UDP"},{"name":"t","port":53,"protocol":"TCP"}"""));
        var given = both["spec"]!["ports"]![0]!["nodePort"]!.GetValue<int>();
        Assert.InRange(given, 30000, 32767);
        Assert.Equal(given, both["spec"]!["ports"]![1]!["nodePort"]!.GetValue<int>());

        var taken = await cluster.PostAsync(path, Service("taken", """{"port":80,"nodePort":30080}"""));
        Assert.Equal(422, taken.Code);
        Assert.Contains("Invalid value: 30080: provided port is already allocated", taken.Text, StringComparison.Ordinal);
        var outside = await cluster.PostAsync(path, Service("outside", """{"port":80,"nodePort":80}"""));
        Assert.Contains("The range of valid ports is 30000-32767", outside.Text, StringComparison.Ordinal);
        var wrong = await cluster.PostAsync(path, Service("wrong", """{"port":80,"nodePort":30081}""", "ClusterIP"));
        Assert.Contains("may not be used when `type` is 'ClusterIP'", wrong.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"ipFamilies\":[\"IPv6\"]", "spec.ipFamilies[0]: Invalid value: \\\"IPv6\\\": not configured on this cluster")]
    [InlineData("\"ipFamilyPolicy\":\"RequireDualStack\"", "this cluster is not configured for dual-stack services")]
    public async Task A_service_of_a_family_that_the_cluster_lacks_is_refused(string field, string message)
    {
        var addresses = new ServiceAddressesPlugin(System.Net.IPNetwork.Parse("10.96.0.0/16"));
        await using var cluster = await Cluster.StartAsync(dependencies: d => d with { AdmissionPlugins = _ => [addresses] });
        var answer = await cluster.PostAsync(
            "/api/v1/namespaces/default/services", $$$"""{"metadata":{"name":"s"},"spec":{{{{field}}},"ports":[{"port":80}]}}""");
        Assert.Equal(422, answer.Code);
        Assert.Contains(message, answer.Text.Replace("\\u0022", "\\\"", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_beyond_the_bound_is_refused()
    {
        await using var cluster = await Cluster.StartAsync();
        var answer = await cluster.PostAsync(Maps, Cluster.ConfigMap("a", new string('x', 3 * 1024 * 1024)));
        Assert.Equal(413, answer.Code);
    }

    [Fact]
    public async Task A_pod_begins_pending_with_its_qos_class()
    {
        await using var cluster = await Cluster.StartAsync();
        var pod = await cluster.CreateAsync("/api/v1/namespaces/default/pods", Cluster.Pod("p"));
        Assert.Equal("Pending", pod["status"]!["phase"]!.GetValue<string>());
        Assert.Equal("BestEffort", pod["status"]!["qosClass"]!.GetValue<string>());
        Assert.Equal(1, pod["metadata"]!["generation"]!.GetValue<int>());
    }

    [Fact]
    public async Task String_data_of_a_secret_becomes_data()
    {
        await using var cluster = await Cluster.StartAsync();
        var secret = await cluster.CreateAsync("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"s"},"stringData":{"a":"b"}}""");
        Assert.Equal("Yg==", secret["data"]!["a"]!.GetValue<string>());
        Assert.Null(secret["stringData"]);
        Assert.Equal("Opaque", secret["type"]!.GetValue<string>());
    }
}

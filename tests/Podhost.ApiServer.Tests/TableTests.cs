using System.Text.Json.Nodes;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Tables;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

public class TableTests
{
    private const string Accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-01-01T01:00:00Z");

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(CasesRoot).Select(d => Path.GetFileName(d)).Order()];

    private static string CasesRoot => Path.Combine(FindUp("tests/cases"), "apiserver", "printpod");

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_pod_is_printed_as_upstream_prints_it(string name)
    {
        var pod = JsonNode.Parse(File.ReadAllText(Path.Combine(CasesRoot, name, "pod.json")))!.AsObject();
        var cells = new PodPrinter().Cells(pod, Now).Select(c => c!.ToString());
        var file = Path.Combine(CasesRoot, name, "cells.txt");
        if (Environment.GetEnvironmentVariable("REWRITE_CASES") == "1")
        {
            File.WriteAllLines(file, cells);
        }

        Assert.Equal(File.ReadAllLines(file), cells);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(125, "2m5s")]
    [InlineData(599, "9m59s")]
    [InlineData(600, "10m")]
    [InlineData(10_799, "179m")]
    [InlineData(10_800, "3h")]
    [InlineData(11_700, "3h15m")]
    [InlineData(28_800, "8h")]
    [InlineData(172_799, "47h")]
    [InlineData(172_800, "2d")]
    [InlineData(180_000, "2d2h")]
    [InlineData(691_200, "8d")]
    [InlineData(63_072_000, "2y")]
    [InlineData(63_158_400, "2y1d")]
    [InlineData(-5, "<invalid>")]
    public void Ages_read_as_kubectl_prints_them(int seconds, string text) =>
        Assert.Equal(text, Durations.Human(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public async Task A_list_is_a_table_with_metadata_of_each_object()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.CreateAsync("/api/v1/namespaces/default/configmaps", Cluster.ConfigMap("a"));
        var table = (await cluster.GetAsync("/api/v1/namespaces/default/configmaps", Accept)).Json;
        Assert.Equal("Table", table["kind"]!.GetValue<string>());
        Assert.Equal(["Name", "Data", "Age"], table["columnDefinitions"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()));
        var row = Assert.Single(table["rows"]!.AsArray())!;
        Assert.Equal(1, row["cells"]![1]!.GetValue<int>());
        Assert.Equal("PartialObjectMetadata", row["object"]!["kind"]!.GetValue<string>());
        Assert.Null(row["object"]!["data"]);
        var whole = (await cluster.GetAsync("/api/v1/namespaces/default/configmaps/a?includeObject=Object", Accept)).Json;
        Assert.Equal("1", whole["rows"]![0]!["object"]!["data"]!["k"]!.GetValue<string>());
        Assert.Equal(400, (await cluster.GetAsync("/api/v1/configmaps?includeObject=Some", Accept)).Code);
    }

    [Fact]
    public async Task A_watch_sends_rows_and_the_columns_once()
    {
        await using var cluster = await Cluster.StartAsync();
        using var watch = await cluster.WatchAsync("/api/v1/namespaces/default/configmaps?watch=true", Accept);
        await cluster.CreateAsync("/api/v1/namespaces/default/configmaps", Cluster.ConfigMap("a"));
        await cluster.CreateAsync("/api/v1/namespaces/default/configmaps", Cluster.ConfigMap("b"));
        var (type, first) = (await watch.NextAsync())!.Value;
        Assert.Equal("ADDED", type);
        Assert.Equal("a", first["rows"]![0]!["cells"]![0]!.GetValue<string>());
        Assert.NotNull(first["columnDefinitions"]);
        Assert.Null((await watch.NextAsync())!.Value.Object["columnDefinitions"]);
    }

    [Fact]
    public void Every_kind_prints_as_many_cells_as_it_has_columns()
    {
        foreach (var resource in Api.Resources.ResourceTable.All.Where(r => !r.IsVirtual))
        {
            var printer = TablePrinters.For(resource);
            var cells = printer.Cells(new JsonObject { ["metadata"] = new JsonObject { ["name"] = "x" } }, Now).ToList();
            Assert.True(printer.Columns.Count == cells.Count, resource.Plural);
        }
    }

    [Fact]
    public async Task A_pod_template_shows_its_containers_and_labels_in_chunks()
    {
        await using var cluster = await Cluster.StartAsync();
        const string Path = "/api/v1/namespaces/default/podtemplates";
        for (var i = 0; i < 3; i++)
        {
            await cluster.CreateAsync(Path, """{"metadata":{"name":"tN"},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}""".Replace('N', (char)('0' + i)));
        }

        var first = (await cluster.GetAsync(Path + "?limit=2", Accept)).Json;
        Assert.Equal("""["t0","c","i","a=b"]""", first["rows"]![0]!["cells"]!.ToJsonString());
        Assert.Equal(1, (int)first["metadata"]!["remainingItemCount"]!);
        var rest = (await cluster.GetAsync($"{Path}?limit=2&continue={first["metadata"]!["continue"]}", Accept)).Json;
        Assert.Single(rest["rows"]!.AsArray());

        var changed = (await cluster.MergeAsync(Path + "/t0", """{"template":{"spec":{"priority":1}}}""")).Json;
        Assert.Equal(2, (int)changed["metadata"]!["generation"]!);
        Assert.Equal("Always", changed["template"]!["spec"]!["restartPolicy"]!.GetValue<string>());
        var broken = await cluster.MergeAsync(Path + "/t0", """{"template":{"spec":{"containers":[]}}}""");
        Assert.Equal("PodTemplate \"t0\" is invalid: template.spec.containers: Required value", broken.Message);
    }

    [Fact]
    public async Task A_review_has_no_table()
    {
        await using var cluster = await Cluster.StartAsync(dependencies: d => d with
        {
            ReviewHandlers = (objects, authorizer, _) => [new AccessReviewHandler(authorizer, new RbacAuthorizer(objects), d.Time)],
        });
        Task<Answer> Review(string accept) => cluster.SendAsync(
            HttpMethod.Post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", """{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}""", accept: accept);
        var refused = await Review("application/json;as=Table;v=v1;g=meta.k8s.io");
        Assert.Equal((406, "NotAcceptable"), (refused.Code, refused.Reason));
        Assert.Equal("SelfSubjectAccessReview", (await Review(Accept)).Json["kind"]!.GetValue<string>());
    }

    private static string FindUp(string relative)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !Directory.Exists(Path.Combine(directory.FullName, relative)))
        {
            directory = directory.Parent;
        }

        return Path.Combine(directory!.FullName, relative);
    }
}

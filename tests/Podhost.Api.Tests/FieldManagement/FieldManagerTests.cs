using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.FieldManagement;
using Podhost.Api.Resources;
using Podhost.Api.Yaml;

namespace Podhost.Api.Tests.FieldManagement;

public class FieldManagerTests
{
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private static readonly ResourceInfo ConfigMaps = ResourceTable.For<V1ConfigMap>();
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private static JsonObject Y(string yaml) => YamlReader.ReadObject(yaml);

    private static JsonObject Apply(ResourceInfo r, JsonObject? live, string yaml, string manager = "a", bool force = false, int minute = 0) =>
        FieldManager.Apply(r, live, Y(yaml), manager, force, Noon.AddMinutes(minute));

    private static JsonNode Fields(JsonObject obj, string manager, string operation = "Apply") =>
        obj["metadata"]!["managedFields"]!.AsArray().Single(e => (string)e!["manager"]! == manager && (string)e["operation"]! == operation)!["fieldsV1"]!;

    private static IEnumerable<string> Managers(JsonObject obj) =>
        (obj["metadata"]!["managedFields"] as JsonArray ?? []).Select(e => $"{e!["manager"]} {e["operation"]}");

    private static JsonObject Bare(JsonObject obj)
    {
        var copy = (JsonObject)obj.DeepClone();
        copy["metadata"]!.AsObject().Remove("managedFields");
        return copy;
    }

    private const string Web = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}}
        spec:
          containers:
          - name: c
            image: one
            ports: [{containerPort: 80}]
            args: [x, y]
        """;

    [Fact]
    public void CreateByApplyRecordsWhatWasApplied()
    {
        var pod = Apply(Pods, null, Web);
        GoldenCases.AssertSame(Y(Web), Bare(pod));
        GoldenCases.AssertSame(
            Y("""
            apiVersion: v1
            fieldsType: FieldsV1
            manager: a
            operation: Apply
            time: "2026-01-02T12:00:00Z"
            fieldsV1:
              f:metadata: {f:labels: {f:app: {}}}
              f:spec:
                f:containers:
                  'k:{"name":"c"}':
                    .: {}
                    f:args: {}
                    f:image: {}
                    f:name: {}
                    f:ports:
                      'k:{"containerPort":80,"protocol":"TCP"}': {.: {}, f:containerPort: {}}
            """),
            pod["metadata"]!["managedFields"]![0]);
    }

    [Fact]
    public void CreateByUpdateRecordsWithTheParentsThatAreNew()
    {
        var pod = FieldManager.Update(Pods, null, Y(Web), "kubectl-create", null, Noon);
        GoldenCases.AssertSame(
            Y("""
            f:metadata: {f:labels: {.: {}, f:app: {}}}
            f:spec:
              f:containers:
                'k:{"name":"c"}':
                  .: {}
                  f:args: {}
                  f:image: {}
                  f:name: {}
                  f:ports:
                    .: {}
                    'k:{"containerPort":80,"protocol":"TCP"}': {.: {}, f:containerPort: {}}
            """),
            Fields(pod, "kubectl-create", "Update"));
    }

    [Fact]
    public void ApplyAgainChangesNothingNotEvenTheTime()
    {
        var pod = Apply(Pods, null, Web);
        GoldenCases.AssertSame(pod, Apply(Pods, pod, Web, minute: 5));
    }

    [Fact]
    public void WhatIsNoLongerAppliedIsRemoved()
    {
        var pod = Apply(Pods, null, Web);
        var next = Apply(Pods, pod, """
            apiVersion: v1
            kind: Pod
            metadata: {name: web}
            spec: {containers: [{name: c, image: two}]}
            """, minute: 1);
        GoldenCases.AssertSame(
            Y("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: two}]}}"), Bare(next));
    }

    [Fact]
    public void FieldsOfAnotherManagerSurviveInsideARemovedItem()
    {
        var pod = Apply(Pods, null, Web);
        pod = Apply(Pods, pod, "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, imagePullPolicy: Never}]}}", "b");
        pod = Apply(Pods, pod, "{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}}");
        GoldenCases.AssertSame(
            Y("{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, imagePullPolicy: Never}]}}"),
            Bare(pod));
        Assert.Equal(["a Apply", "b Apply"], Managers(pod));
    }

    [Fact]
    public void AConflictNamesManagerAndField()
    {
        var pod = Apply(Pods, null, Web);
        var e = Assert.Throws<ApiException>(() => Apply(Pods, pod, Web.Replace("image: one", "image: two"), "b"));
        Assert.Equal((409, "Conflict"), ((int)e.Code, e.Reason));
        Assert.Equal("Apply failed with 1 conflict: conflict with \"a\": .spec.containers[name=\"c\"].image", e.Message);
        var cause = Assert.Single(e.Status.Details.Causes);
        Assert.Equal(
            ("FieldManagerConflict", "conflict with \"a\"", ".spec.containers[name=\"c\"].image"), (cause.Reason, cause.Message, cause.Field));
    }

    [Fact]
    public void SeveralConflictsAreGroupedByManager()
    {
        var map = FieldManager.Update(ConfigMaps, null, Y("{metadata: {name: m}, data: {k: '1', l: '1', z: '1'}}"), "edit", null, Noon);
        map = Apply(ConfigMaps, map, "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {z: '1'}}", "b");
        var e = Assert.Throws<ApiException>(() =>
            Apply(ConfigMaps, map, "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {k: '2', l: '2', z: '2'}}"));
        Assert.Equal(
            "Apply failed with 4 conflicts: conflicts with \"b\":\n- .data.z\nconflicts with \"edit\" using v1:\n- .data.k\n- .data.l\n- .data.z",
            e.Message);
    }

    [Fact]
    public void ForceTakesTheFieldAway()
    {
        var pod = Apply(Pods, null, Web);
        pod = Apply(Pods, pod, "{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: db}}}", "b", force: true);
        Assert.Equal("db", (string)pod["metadata"]!["labels"]!["app"]!);
        GoldenCases.AssertSame(Y("{f:metadata: {f:labels: {f:app: {}}}}"), Fields(pod, "b"));
        Assert.Null(Fields(pod, "a")["f:metadata"]);
    }

    [Fact]
    public void TheSameValueIsSharedWithoutConflictAndOutlivesOneOfItsOwners()
    {
        const string Label = "{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}}";
        var pod = Apply(Pods, Apply(Pods, null, Web), Label, "b");
        pod = Apply(Pods, pod, "{apiVersion: v1, kind: Pod, metadata: {name: web}}", "b");
        Assert.Equal("web", (string)pod["metadata"]!["labels"]!["app"]!);
        Assert.Equal(["a Apply"], Managers(pod));
    }

    [Fact]
    public void AnUpdateTakesWhatItChanges()
    {
        var pod = Apply(Pods, null, Web);
        var edited = (JsonObject)pod.DeepClone();
        edited["spec"]!["containers"]![0]!["image"] = "two";
        edited["metadata"]!["resourceVersion"] = "7";
        var next = FieldManager.Update(Pods, pod, edited, "edit", null, Noon.AddMinutes(1));
        GoldenCases.AssertSame(Y("""{f:spec: {f:containers: {'k:{"name":"c"}': {f:image: {}}}}}"""), Fields(next, "edit", "Update"));
        Assert.Null(Fields(next, "a")["f:spec"]!["f:containers"]!["k:{\"name\":\"c\"}"]!["f:image"]);

        var e = Assert.Throws<ApiException>(() => Apply(Pods, next, Web));
        Assert.Equal("Apply failed with 1 conflict: conflict with \"edit\" using v1: .spec.containers[name=\"c\"].image", e.Message);
    }

    [Fact]
    public void AnUpdateOfServerFieldsOnlyIsNotRecorded()
    {
        var pod = Apply(Pods, null, Web);
        var next = (JsonObject)pod.DeepClone();
        next["metadata"]!["resourceVersion"] = "9";
        Assert.Equal(["a Apply"], Managers(FieldManager.Update(Pods, pod, next, "x", null, Noon)));
    }

    [Fact]
    public void StatusIsRecordedThroughItsSubresourceOnly()
    {
        var pod = Apply(Pods, null, Web);
        var next = (JsonObject)pod.DeepClone();
        next["status"] = Y("{phase: Running, podIPs: [{ip: 10.0.0.1}]}");
        Assert.Equal(["a Apply"], Managers(FieldManager.Update(Pods, pod, next, "k", null, Noon)));
        next = FieldManager.Update(Pods, pod, next, "kubelet", "status", Noon);
        var entry = next["metadata"]!["managedFields"]!.AsArray().Single(m => (string)m!["manager"]! == "kubelet")!;
        Assert.Equal("status", (string)entry["subresource"]!);
        GoldenCases.AssertSame(
            Y("""{f:status: {.: {}, f:phase: {}, f:podIPs: {.: {}, 'k:{"ip":"10.0.0.1"}': {.: {}, f:ip: {}}}}}"""), entry["fieldsV1"]);
    }

    [Fact]
    public void AnEmptyEntryResetsTheTracking()
    {
        var pod = Apply(Pods, null, Web);
        var reset = (JsonObject)pod.DeepClone();
        reset["metadata"]!["managedFields"] = new JsonArray(new JsonObject());
        var next = FieldManager.Update(Pods, pod, reset, "x", null, Noon);
        Assert.Empty(Managers(next));
        var again = Apply(Pods, next, Web.Replace("app: web", "app: db"), force: true);
        Assert.Equal(["a Apply", "before-first-apply Update"], Managers(again));
    }

    [Fact]
    public void AnObjectThatIsSentBackWithoutManagedFieldsKeepsThem()
    {
        var pod = Apply(Pods, null, Web);
        Assert.Equal(["a Apply"], Managers(FieldManager.Update(Pods, pod, Bare(pod), "x", null, Noon)));
    }

    [Fact]
    public void SetsAreOwnedItemByItem()
    {
        var map = Apply(ConfigMaps, null, "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, finalizers: [x/a]}}");
        map = Apply(ConfigMaps, map, "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, finalizers: [x/b]}}", "b");
        Assert.Equal("[\"x/a\",\"x/b\"]", map["metadata"]!["finalizers"]!.ToJsonString());
        map = Apply(ConfigMaps, map, "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}");
        Assert.Equal("[\"x/b\"]", map["metadata"]!["finalizers"]!.ToJsonString());
        GoldenCases.AssertSame(Y("""{f:metadata: {f:finalizers: {'v:"x/b"': {}}}}"""), Fields(map, "b"));
    }

    [Fact]
    public void AtomicValuesAreOwnedAsAWhole()
    {
        var pod = Apply(Pods, null, Web);
        var e = Assert.Throws<ApiException>(() => Apply(Pods, pod, Web.Replace("[x, y]", "[x]"), "b"));
        Assert.EndsWith(".spec.containers[name=\"c\"].args", e.Message, StringComparison.Ordinal);
        pod = Apply(Pods, pod, "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {nodeSelector: {a: '1'}}}", "b");
        e = Assert.Throws<ApiException>(() => Apply(Pods, pod, Web + "\n  nodeSelector: {b: '1'}"));
        Assert.EndsWith("conflict with \"b\": .spec.nodeSelector", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ListOrderFollowsTheConfiguration()
    {
        var pod = Apply(Pods, null, "{apiVersion: v1, kind: Pod, metadata: {name: w}, spec: {containers: [{name: a}, {name: s}, {name: b}]}}");
        pod = Apply(Pods, pod, "{apiVersion: v1, kind: Pod, metadata: {name: w}, spec: {containers: [{name: m}, {name: b}, {name: a}]}}", "b");
        Assert.Equal("mbas", string.Concat(pod["spec"]!["containers"]!.AsArray().Select(c => (string)c!["name"]!)));
    }

    [Theory]
    [InlineData("{apiVersion: v1, kind: Pod, spec: {foo: 1}}", ".spec.foo: field not declared in schema")]
    [InlineData("{apiVersion: v1, kind: Pod, spec: {containers: [{name: a}, {name: a}]}}", ".spec.containers: duplicate entries for key [name=\"a\"]")]
    [InlineData("{apiVersion: v1, kind: Pod, spec: {containers: [{image: a}]}}", "omits key field \"name\"")]
    [InlineData("{apiVersion: v1, kind: Pod, metadata: {managedFields: [{manager: x}]}}", "metadata.managedFields must be nil")]
    [InlineData("{apiVersion: v2, kind: Pod}", "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1")]
    public void RefusesConfigurationsThatCannotBeTracked(string yaml, string message)
    {
        var e = Assert.Throws<ApiException>(() => Apply(Pods, null, yaml));
        Assert.Equal(400, (int)e.Code);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void KubectlTakesOverFromClientSideApply()
    {
        var live = Y(Web);
        live["metadata"]!["annotations"] = new JsonObject { ["kubectl.kubernetes.io/last-applied-configuration"] = Y(Web).ToJsonString() };
        var pod = FieldManager.Update(Pods, null, live, "kubectl-client-side-apply", null, Noon);
        Assert.Throws<ApiException>(() => Apply(Pods, pod, Web.Replace("image: one", "image: two"), "other"));
        var next = Apply(Pods, pod, Web.Replace("image: one", "image: two"), "kubectl");
        Assert.Equal("two", (string)next["spec"]!["containers"]![0]!["image"]!);
        Assert.Contains("\"image\":\"two\"", (string)next["metadata"]!["annotations"]!["kubectl.kubernetes.io/last-applied-configuration"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void TheNumberOfUpdatersIsBounded()
    {
        var map = Apply(ConfigMaps, null, "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, immutable: false}");
        for (var i = 0; i < 30; i++)
        {
            var next = (JsonObject)map.DeepClone();
            (next["data"] ??= new JsonObject())["k" + i] = "v";
            map = FieldManager.Update(ConfigMaps, map, next, "m" + i, null, Noon.AddMinutes(i));
        }

        Assert.Equal(ManagerCap.MaxUpdaters, Managers(map).Count(m => m.EndsWith("Update")));
        Assert.Contains("ancient-changes Update", Managers(map));
        var owned = map["metadata"]!["managedFields"]!.AsArray()
            .SelectMany(m => m!["fieldsV1"]!["f:data"] is JsonObject d ? d.Select(p => p.Key) : []).Where(k => k != ".");
        Assert.Equal(30, owned.Distinct().Count());
    }

    [Fact]
    public void LiveItemsOfTheSameKeyAreTolerated()
    {
        var live = Y("{apiVersion: v1, kind: Pod, metadata: {name: w, uid: u}, spec: {containers: [{name: c, env: [{name: E, value: '1'}, {name: E, value: '2'}]}]}}");
        var pod = FieldManager.Update(Pods, null, live, "x", null, Noon);
        var next = (JsonObject)pod.DeepClone();
        next["spec"]!["containers"]![0]!["env"]!.AsArray().RemoveAt(1);
        next = FieldManager.Update(Pods, pod, next, "z", null, Noon);
        GoldenCases.AssertSame(
            Y("""{f:spec: {f:containers: {'k:{"name":"c"}': {f:env: {'k:{"name":"E"}': {}}}}}}"""), Fields(next, "z", "Update"));
    }

    [Fact]
    public void MalformedManagedFieldsOfAClientAreIgnored()
    {
        var pod = Apply(Pods, null, Web);
        var next = (JsonObject)pod.DeepClone();
        next["metadata"]!["managedFields"] = JsonNode.Parse("""[{"manager":"x","operation":"Own","fieldsV1":{"q:x":1}}]""");
        Assert.Equal(["a Apply"], Managers(FieldManager.Update(Pods, pod, next, "x", null, Noon)));
    }
}

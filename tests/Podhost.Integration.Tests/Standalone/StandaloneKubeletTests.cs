using System.Net;
using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Standalone;

/// <summary>Promise 9 without any API server: <c>podhost kubelet --pod-manifest-path DIR</c>.</summary>
public sealed class StandaloneKubeletTests : IClassFixture<StandaloneFixture>
{
    private readonly StandaloneFixture _fixture;
    private readonly Instance _node;
    private readonly KubeletApi _kubelet;

    public StandaloneKubeletTests(StandaloneFixture fixture)
    {
        Assert.SkipWhen(fixture.CannotRun is not null, fixture.CannotRun ?? "");
        _fixture = fixture;
        _node = fixture.Instance;
        _kubelet = fixture.Administrator;
    }

    [Fact]
    public async Task Files_become_pods_and_a_broken_one_touches_no_other()
    {
        Write("first.yaml", Yaml("first", "echo one; sleep 1000"));
        Write("second.json", Json("second", "echo two; sleep 1000"));
        var (first, second) = (await ReadyAsync("first"), await ReadyAsync("second"));

        // A file that was never a pod, and one that was.
        Write("third.yaml", Yaml("third", "sleep 1000").Replace("image: busybox:stable", "imagePullPolicy: Sometimes", StringComparison.Ordinal));
        await LoggedAsync("third.yaml: line 8: spec.containers[0].image: Required value", "line 9: spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\"");
        Write("second.json", Json("second", "echo two; sleep 1000").Replace("\"containers\": [", "\"containers\": [7, ", StringComparison.Ordinal));
        await LoggedAsync("second.json: line 6: spec.containers[0]: json: cannot unmarshal number");
        Write("broken.yaml", "apiVersion: v1\nkind: [Pod\nmetadata: x");
        await LoggedAsync("broken.yaml: yaml: line ");

        // A changed file is another pod; the others are the same.
        Write("first.yaml", Yaml("first", "echo changed; sleep 1000"));
        var changed = await ReadyAsync("first", $"{first["metadata"]!["uid"]}");
        await PrintedAsync("first", "changed\n");
        Assert.NotEqual(KubeletApi.ContainerOf(first), KubeletApi.ContainerOf(changed));
        Assert.Equal(KubeletApi.ContainerOf(second), KubeletApi.ContainerOf(await ReadyAsync("second")));

        Remove("first.yaml", "second.json", "third.yaml", "broken.yaml");
        await GoneAsync("first", "second");
    }

    [Fact]
    public async Task A_replaced_pod_never_runs_twice()
    {
        var shared = Directory.CreateDirectory(Path.Combine(_node.Root, "shared")).FullName;

        // Each instance takes a lock and leaves it late.
        string Manifest(int version) => Yaml(
            "alone",
            $"echo {version}; mkdir /s/lock || echo {version} >> /s/fault; trap 'sleep 1; rmdir /s/lock; exit 0' TERM; sleep 1000 & wait",
            "volumeMounts: [{name: s, mountPath: /s}]",
            $"volumes: [{{name: s, hostPath: {{path: {shared}}}}}]").Replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 20", StringComparison.Ordinal);
        Write("alone.yaml", Manifest(0));
        var uid = $"{(await ReadyAsync("alone"))["metadata"]!["uid"]}";
        for (var version = 1; version <= 3; version++)
        {
            Write("alone.yaml", Manifest(version));
        }

        // The same name from another file: a pod of its own, which waits as well.
        var last = await ReadyAsync("alone", uid);
        Write("b-alone.yaml", Manifest(4));
        Remove("alone.yaml");
        await ReadyAsync("alone", $"{last["metadata"]!["uid"]}");
        Remove("b-alone.yaml");
        await GoneAsync("alone");
        Assert.False(File.Exists(Path.Combine(shared, "fault")), "two ran at once");
    }

    [Fact]
    public async Task A_killed_kubelet_finds_its_pods_again_and_learns_what_changed_meanwhile()
    {
        Write("stays.yaml", Yaml("stays", "sleep 1000"));
        Write("leaves.yaml", Yaml("leaves", "trap 'exit 0' TERM; sleep 1000 & wait"));
        var stays = await ReadyAsync("stays");
        await ReadyAsync("leaves");
        await _node.KillAsync();
        Remove("leaves.yaml");
        Write("comes.yaml", Yaml("comes", "sleep 1000"));
        await _node.UpAsync();
        var again = await ReadyAsync("stays");
        Assert.Equal((KubeletApi.ContainerOf(stays), "0"), (KubeletApi.ContainerOf(again), $"{again["status"]!["containerStatuses"]![0]!["restartCount"]}"));
        await ReadyAsync("comes");
        await GoneAsync("leaves");

        // Another directory in the place of this one.
        var aside = _node.StaticPods + ".aside";
        Directory.Move(_node.StaticPods, aside);
        await GoneAsync("stays", "comes");
        Directory.CreateDirectory(_node.StaticPods);
        Write("anew.yaml", Yaml("anew", "sleep 1000"));
        await ReadyAsync("anew");
        Directory.Delete(aside, recursive: true);
        Remove("anew.yaml");
        await GoneAsync("anew");
    }

    [Fact]
    public async Task ConfigMaps_and_Secrets_beside_the_pods_are_for_them()
    {
        Write("user.yaml", Yaml(
            "user",
            "cat /c/greeting; echo $PASS; sleep 1000",
            "env: [{name: PASS, valueFrom: {secretKeyRef: {name: pass, key: word}}}]\n    volumeMounts: [{name: c, mountPath: /c}]",
            "volumes: [{name: c, configMap: {name: words}}]"));
        Write("words.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {greeting: \"hello\\n\"}\n");
        Write("secret.json", """{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pass"}, "stringData": {"word": "sesame"}}""");
        await ReadyAsync("user");
        await PrintedAsync("user", "hello\nsesame\n");
        Write("words.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {greeting: \"changed\\n\"}\n");
        Assert.Equal("changed\n", await _kubelet.ExecAsync($"user-{_node.Node}", "sh", "-c", "until grep -q changed /c/greeting; do sleep 0.1; done; cat /c/greeting"));
        Remove("user.yaml", "words.yaml", "secret.json");
        await GoneAsync("user");
    }

    [Fact]
    public async Task A_page_of_manifests_is_followed_and_its_trouble_stops_no_pod()
    {
        _fixture.Page.Write($$"""{"apiVersion": "v1", "kind": "PodList", "items": [{{Json("paged", "echo one; sleep 1000")}}, {{Json("other", "sleep 1000")}}]}""");
        var (first, other) = (await ReadyAsync("paged"), await ReadyAsync("other"));
        Assert.Equal("http", $"{first["metadata"]!["annotations"]!["kubernetes.io/config.source"]}");
        await _fixture.Page.NextUnchangedAsync();
        _fixture.Page.Break();
        await LoggedAsync("stay as they are: 500");
        _fixture.Page.Write($$"""{"apiVersion": "v1", "kind": "PodList", "items": [{{Json("paged", "echo two; sleep 1000")}}, {{Json("other", "sleep 1000")}}]}""");
        await ReadyAsync("paged", $"{first["metadata"]!["uid"]}");
        Assert.Equal(KubeletApi.ContainerOf(other), KubeletApi.ContainerOf(await ReadyAsync("other")));
        _fixture.Page.Write("""{"apiVersion": "v1", "kind": "PodList", "items": []}""");
        await GoneAsync("paged", "other");
    }

    [Fact]
    public async Task The_API_asks_who_is_there()
    {
        using var nobody = _fixture.As(null);
        using var stranger = _fixture.As("CN=stranger, O=others");
        Assert.Equal((HttpStatusCode.Unauthorized, "Unauthorized"), await nobody.GetAsync("/pods"));
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.GetAsync("/pods")).Code);
        Write("seen.yaml", Yaml("seen", "echo seen; sleep 1000"));
        await ReadyAsync("seen");
        Assert.Equal((HttpStatusCode.OK, "ok"), await _kubelet.GetAsync("/healthz"));
        Assert.Equal("done\n", await _kubelet.ExecAsync($"seen-{_node.Node}", "echo", "done"));
        Assert.Contains($"pod=\"seen-{_node.Node}\"", (await _kubelet.GetAsync("/metrics/resource")).Text, StringComparison.Ordinal);
        Assert.Contains(
            JsonNode.Parse((await _kubelet.GetAsync("/stats/summary")).Text)!["pods"]!.AsArray(), p => $"{p!["podRef"]!["name"]}" == $"seen-{_node.Node}");
        Assert.DoesNotContain(ManifestPage.Pass, (await _kubelet.GetAsync("/configz")).Text, StringComparison.Ordinal);

        // The port for reading is open to everybody, for little.
        var open = $"http://127.0.0.1:{_fixture.ReadOnlyPort}";
        Assert.Contains($"seen-{_node.Node}", await Shell.PageAsync($"{open}/pods"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => new HttpClient().GetStringAsync($"{open}/containerLogs/default/seen-{_node.Node}/main"));
        Remove("seen.yaml");
        await GoneAsync("seen");
    }

    private Task<JsonNode> ReadyAsync(string name, string? notUid = null) => _kubelet.ReadyAsync(_node, name, notUid);

    private Task GoneAsync(params string[] names) => _kubelet.UntilAsync(
        pods => !pods.Any(p => names.Any(n => $"{p["metadata"]!["name"]}" == $"{n}-{_node.Node}")), $"{string.Join(", ", names)} did not go", _node);

    // A container runs before it has printed anything.
    private async Task PrintedAsync(string pod, string text)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var (code, printed) = (HttpStatusCode.OK, "");
        while (!stop.IsCancellationRequested && printed != text)
        {
            (code, printed) = await _kubelet.GetAsync($"/containerLogs/default/{pod}-{_node.Node}/main");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        Assert.Equal((HttpStatusCode.OK, text), (code, printed));
    }

    private async Task LoggedAsync(params string[] words)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!words.All(w => _node.Log.Contains(w, StringComparison.Ordinal)))
        {
            Assert.False(stop.IsCancellationRequested, $"not in the log: {string.Join(", ", words)}\n{_node.Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    // Written whole beside it, then moved, as an editor does.
    private void Write(string name, string text)
    {
        var hidden = Path.Combine(_node.StaticPods, "." + name);
        File.WriteAllText(hidden, text);
        File.Move(hidden, Path.Combine(_node.StaticPods, name), overwrite: true);
    }

    private void Remove(params string[] names)
    {
        foreach (var name in names)
        {
            File.Delete(Path.Combine(_node.StaticPods, name));
        }
    }

    private static string Yaml(string name, string script, string containerMore = "", string podMore = "") => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          terminationGracePeriodSeconds: 1
          {{podMore}}
          containers:
          - name: main
            image: busybox:stable
            command: [sh, -c, {{System.Text.Json.JsonSerializer.Serialize(script)}}]
            {{containerMore}}
        """;

    private static string Json(string name, string script) => $$"""
        {
          "apiVersion": "v1", "kind": "Pod",
          "metadata": {"name": "{{name}}"},
          "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": "busybox:stable", "command": ["sh", "-c", {{System.Text.Json.JsonSerializer.Serialize(script)}}]}]
          }
        }
        """;
}

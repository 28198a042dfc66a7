using System.Diagnostics;
using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Verbs;

/// <summary>Every verb that a user of pods has, with one kubectl. Pods are waited for with the machine's own kubectl.</summary>
public abstract class VerbTests(ClusterFixture cluster) : ClusterTest(cluster), IAsyncLifetime
{
    /// <summary>The kubectl under test.</summary>
    protected Kubectl V { get; set; } = null!;

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        V = await KubectlAsync();
    }

    protected abstract ValueTask<Kubectl> KubectlAsync();

    [Fact]
    public async Task Get_prints_in_every_form()
    {
        await PodAsync("shown");
        var ip = await K.FieldAsync("shown", ".status.podIP");
        Assert.Matches(@"shown\s+1/1\s+Running\s+0\s+\d+s", await V.OkAsync("get pods shown"));
        Assert.Matches($@"shown\s+1/1\s+Running\s+0\s+\d+s\s+{ip}\s+{Cluster.Node}\s+<none>\s+<none>", await V.OkAsync("get po shown -o wide"));
        Assert.Contains("\n  nodeName: " + Cluster.Node, await V.OkAsync("get pod shown -o yaml"));
        Assert.Equal("shown", JsonNode.Parse(await V.OkAsync("get pod shown -o json"))!["metadata"]!["name"]!.GetValue<string>());
        Assert.Equal("busybox:stable", await V.OkAsync("get pod shown -o", "jsonpath={.spec.containers[0].image}"));
        Assert.Equal("pod/shown\n", await V.OkAsync("get pods -l app=shown -o name"));
        Assert.Matches($@"{K.Namespace}\s+shown\s", await V.OkAsync("get pods -A"));
        Assert.Matches(@"shown\s+1/1\s.*\sapp=shown\n", await V.OkAsync("get pods shown --show-labels"));
        Assert.Contains("shown", await V.OkAsync("get pods --sort-by=.metadata.name --field-selector=status.phase=Running"));
        Assert.Contains("NotFound", (await V.RunAsync("get pod nowhere")).Fails());
        Assert.Contains(Cluster.Node, await V.OkAsync("get nodes,namespaces"));
    }

    [Fact]
    public async Task Get_watches()
    {
        using var watch = V.Start("get pods -w -l app=watched -o", "jsonpath={.status.phase}{\"\\n\"}");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await PodAsync("watched");
        var seen = new List<string>();
        while (!seen.Contains("Running") && await watch.StandardOutput.ReadLineAsync(stop.Token) is { } line)
        {
            seen.Add(line);
        }

        watch.Kill();
        Assert.Equal("Pending", seen[0]);
        Assert.Contains("Running", seen);
    }

    [Fact]
    public async Task Describe_and_events_tell_what_happened()
    {
        await PodAsync("told");
        var text = await V.OkAsync("describe pod told");
        Assert.Matches(@"Name:\s+told\n", text);
        Assert.Matches(@"Normal\s+Started\s", text);
        Assert.Matches(@"Ready\s+True", text);
        Assert.Matches(@"Started\s+pod/told", await V.OkAsync("get events --field-selector=involvedObject.name=told"));
        Assert.Contains("MemoryPressure", await V.OkAsync($"describe node {Cluster.Node}"));
    }

    [Fact]
    public async Task Logs_has_its_options()
    {
        await V.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: logs}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: one, image: "busybox:stable", command: [sh, -c, "if [ -e /work/again ]; then echo second; sleep 1000; else touch /work/again; echo first; exit 1; fi"], volumeMounts: [{name: w, mountPath: /work}]}
              - {name: two, image: "busybox:stable", command: [sh, -c, "echo a; echo b >&2; echo c; until [ -e /tmp/go ]; do sleep 0.1; done; echo d; sleep 1000"]}
              volumes: [{name: w, emptyDir: {}}]
            """);
        await K.WaitAsync("logs", ".status.containerStatuses[?(@.name==\"one\")].restartCount", "1");
        await K.ReadyAsync("logs");
        Assert.Equal("first\n", await V.OkAsync("logs logs -c one --previous"));
        Assert.Equal("second\n", await V.OkAsync("logs logs -c one"));
        Assert.Equal("a\nb\nc\n", string.Concat((await V.OkAsync("logs logs -c two")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().Select(l => l + "\n")));
        Assert.Single((await V.OkAsync("logs logs -c two --tail=1")).Trim().Split('\n'));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT[\d:.]+Z [abc]\n", await V.OkAsync("logs logs -c two --timestamps"));
        Assert.Equal("", await V.OkAsync("logs logs -c two --since-time=2099-01-01T00:00:00Z"));
        Assert.Contains("a\n", await V.OkAsync("logs logs -c two --since=10m"));
        Assert.Contains("second", await V.OkAsync("logs logs --all-containers"));
        Assert.Contains("is not valid for pod", (await V.RunAsync("logs logs -c three")).Fails());
        Assert.Contains("previous terminated container \"two\" in pod \"logs\" not found", (await V.RunAsync("logs logs -c two --previous")).Fails());

        using var follow = V.Start("logs -f logs -c two --tail=0");
        await K.ShAsync("logs", "touch /tmp/go", "two");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        Assert.Equal("d", await follow.StandardOutput.ReadLineAsync(stop.Token));
        follow.Kill();
    }

    [Fact]
    public async Task Exec_passes_streams_exit_codes_and_a_terminal()
    {
        await PodAsync("executes");
        Assert.Equal(new Ran(0, "out\n", "err\n"), await V.RunAsync(["exec", "executes", "--", "sh", "-c", "echo out; echo err >&2"], null));
        Assert.Equal(7, (await V.RunAsync(["exec", "executes", "--", "sh", "-c", "exit 7"], null)).Code);
        Assert.Equal("typed", (await V.RunAsync(["exec", "-i", "executes", "--", "cat"], "typed")).Ok());
        Assert.Equal(new string('a', 20_000), (await V.RunAsync(["exec", "executes", "--", "echo", new string('a', 20_000)], null)).Ok().Trim());
        Assert.NotEqual(0, (await V.RunAsync("exec executes -- /no/such/command")).Code);

        var terminal = await V.ShellAsync("stty rows 33 cols 77 2>/dev/null; (echo 'tty && stty size'; echo exit 5) | script -qec \"stty rows 33 cols 77; $K exec -it executes -- sh\" /dev/null");
        Assert.Contains("/dev/pts/", terminal.Out);
        Assert.Contains("33 77", terminal.Out);
        Assert.Equal(5, terminal.Code);
    }

    [Fact]
    public async Task Attach_sees_what_the_container_prints_and_types_into_it()
    {
        await V.ApplyAsync(ShellPod("attached", "while read line; do echo got $line; done", "stdin: true"));
        await K.ReadyAsync("attached");
        using var attach = V.Start("attach -i attached");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await attach.StandardInput.WriteLineAsync("hello");
        await attach.StandardInput.FlushAsync(stop.Token);
        Assert.Equal("got hello", await attach.StandardOutput.ReadLineAsync(stop.Token));
        attach.Kill();
    }

    [Fact]
    public async Task Port_forward_reaches_the_pod()
    {
        await V.ApplyAsync(ShellPod("forwarded", "exec httpd -f -p 8080 -h /www", "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}"));
        await K.ReadyAsync("forwarded");
        using var forward = V.Start("port-forward pod/forwarded :8080");
        try
        {
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            var line = await forward.StandardOutput.ReadLineAsync(stop.Token);
            Assert.Matches(@"Forwarding from 127\.0\.0\.1:\d+ -> 8080", line);
            var port = line!.Split(':')[1].Split(' ')[0];
            using var http = new HttpClient();
            for (var i = 0; i < 3; i++)
            {
                Assert.Contains("out of a pod", await http.GetStringAsync($"http://127.0.0.1:{port}/", stop.Token));
            }
        }
        finally
        {
            forward.Kill();
        }
    }

    [Fact]
    public async Task Cp_copies_both_ways()
    {
        await PodAsync("copied");
        var directory = Directory.CreateTempSubdirectory("podhost-cp-").FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "in"), "content");
        await V.OkAsync($"cp {directory}/in copied:/tmp/in");
        Assert.Equal("content", await K.ShAsync("copied", "cat /tmp/in"));
        await V.OkAsync($"cp copied:/tmp/in {directory}/out");
        Assert.Equal("content", await File.ReadAllTextAsync(Path.Combine(directory, "out")));
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Run_makes_a_pod_and_rm_removes_it()
    {
        Assert.Equal("pod/ran created\n", await V.OkAsync("run ran --image=busybox:stable --restart=Never -- sh -c", "echo made by run"));
        await K.WaitAsync("ran", ".status.phase", "Succeeded");
        Assert.Equal("made by run\n", await V.OkAsync("logs ran"));
        Assert.Contains("deleted", await V.OkAsync("delete pod ran"));
        var attached = await V.RunAsync(
            ["run", "once", "--image=busybox:stable", "--restart=Never", "--rm", "-i", "--", "sh", "-c", "read word; echo said $word; exit 3"], "hello\n");
        Assert.Contains("said hello", attached.Out);
        Assert.Equal(3, attached.Code);
        Assert.Contains("NotFound", (await V.RunAsync("get pod once")).Fails());
    }

    [Fact]
    public async Task Create_delete_label_annotate_and_wait()
    {
        Assert.Equal("configmap/made created\n", await V.OkAsync("create configmap made --from-literal=a=b"));
        Assert.Contains("already exists", (await V.RunAsync("create configmap made")).Fails());
        Assert.Equal("configmap/made labeled\n", await V.OkAsync("label configmap made colour=red"));
        Assert.NotEqual(0, (await V.RunAsync("label configmap made colour=blue")).Code);
        await V.OkAsync("label configmap made colour=blue --overwrite");
        await V.OkAsync("annotate configmap made note=hello");
        Assert.Equal("blue hello", await V.OkAsync("get configmap made -o", "jsonpath={.metadata.labels.colour} {.metadata.annotations.note}"));
        await V.OkAsync("label configmap made colour-");
        await V.OkAsync("create configmap dry --from-literal=a=b --dry-run=server");
        Assert.Contains("NotFound", (await V.RunAsync("get configmap dry")).Fails());
        await PodAsync("waited");
        Assert.Contains("condition met", await V.OkAsync("wait pod/waited --for=condition=Ready --timeout=5s"));
        await V.OkAsync("delete pod waited --wait=false");
        await V.RunAsync("wait pod/waited --for=delete --timeout=20s");
        Assert.Contains("NotFound", (await V.RunAsync("get pod waited")).Fails());
        await V.OkAsync("delete configmap -l nothing=here");
        Assert.Equal("configmap \"made\" deleted\n", (await V.OkAsync("delete configmap made")).Replace($" from {V.Namespace} namespace", ""));
    }

    [Fact]
    public async Task Patch_takes_all_types_and_edit_saves()
    {
        await PodAsync("patched");
        await V.OkAsync("patch pod patched -p", """{"metadata":{"labels":{"strategic":"1"}}}""");
        await V.OkAsync("patch pod patched --type=merge -p", """{"metadata":{"labels":{"merge":"2"}}}""");
        await V.OkAsync("patch pod patched --type=json -p", """[{"op":"add","path":"/metadata/labels/json","value":"3"}]""");
        Assert.Equal("1 2 3", await K.FieldAsync("patched", ".metadata.labels.strategic} {.metadata.labels.merge} {.metadata.labels.json"));
        var edited = await V.ShellAsync("EDITOR=\"sed -i s/merge:.*/merge:\\ edited/\" $K edit pod patched");
        Assert.Contains("pod/patched edited", edited.Ok());
        Assert.Equal("edited", await K.FieldAsync("patched", ".metadata.labels.merge"));
    }

    [Fact]
    public async Task A_change_that_a_pod_does_not_allow_is_refused()
    {
        await PodAsync("fixed");
        Assert.Contains("Forbidden: pod updates may not change fields", (await V.RunAsync("patch pod fixed --type=merge -p", """{"spec":{"nodeName":"other"}}""")).Fails());
    }

    [Fact]
    public async Task Apply_changes_prunes_fields_and_diff_shows_before()
    {
        await V.ApplyAsync(ConfigMap("applied", "a: '1', b: '2'"));
        var changed = ConfigMap("applied", "a: '3'");
        var diff = await V.RunAsync(["diff", "-f", "-"], changed);
        Assert.Equal(1, diff.Code);
        Assert.Contains("-  b: \"2\"", diff.Out);
        Assert.Equal("configmap/applied configured\n", await V.ApplyAsync(changed));
        Assert.Equal("configmap/applied unchanged\n", await V.ApplyAsync(changed));
        Assert.Equal("""{"a":"3"}""", await V.OkAsync("get configmap applied -o", "jsonpath={.data}"));
    }

    [Fact]
    public async Task Server_side_apply_owns_fields()
    {
        await V.ApplyAsync(ConfigMap("owned", "a: '1'"), "--server-side", "--field-manager=one");
        var conflict = await V.RunAsync(["apply", "--server-side", "--field-manager=two", "-f", "-"], ConfigMap("owned", "a: '2'"));
        Assert.Contains("conflict with \"one\"", conflict.Fails());
        await V.ApplyAsync(ConfigMap("owned", "a: '2'"), "--server-side", "--field-manager=two", "--force-conflicts");
        Assert.Equal("2", await V.OkAsync("get configmap owned -o", "jsonpath={.data.a}"));
        await V.ApplyAsync(ShellPod("served", "sleep 1000"), "--server-side");
        await K.ReadyAsync("served");
        Assert.Equal("pod/served serverside-applied\n", await V.ApplyAsync(ShellPod("served", "sleep 1000"), "--server-side"));
    }

    [Fact]
    public async Task Explain_api_resources_and_auth_answer()
    {
        Assert.Contains("containers", await V.OkAsync("explain pod.spec"));
        Assert.Contains("livenessProbe", await V.OkAsync("explain pod.spec.containers"));
        Assert.Matches(@"pods\s+po\s+v1\s+true\s+Pod\n", await V.OkAsync("api-resources"));
        Assert.Contains("v1\n", await V.OkAsync("api-versions"));
        Assert.Equal("yes\n", await V.OkAsync("auth can-i create pods"));
        var other = await V.RunAsync("auth can-i create pods --as=somebody");
        Assert.Equal((1, "no"), (other.Code, other.Out.Trim()));
        Assert.Contains("Server Version", await V.OkAsync("version"));
    }

    [Fact]
    public async Task A_field_that_does_not_exist_is_refused_by_name()
    {
        var error = (await V.RunAsync(["apply", "-f", "-"], "apiVersion: v1\nkind: Pod\nmetadata: {name: wrong}\nspec: {containerz: [], containers: [{name: a, image: b}]}")).Fails();
        Assert.Contains("containerz", error);
    }

    private static string ConfigMap(string name, string data) => $"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{{data}}}";

    protected async Task PodAsync(string name)
    {
        await V.ApplyAsync(ShellPod(name, "trap 'exit 0' TERM; sleep 1000 & wait"));
        await K.ReadyAsync(name);
    }
}

/// <summary>The machine's kubectl.</summary>
public sealed class CurrentKubectlTests(ClusterFixture cluster) : VerbTests(cluster)
{
    protected override ValueTask<Kubectl> KubectlAsync() => ValueTask.FromResult(K);

    [Fact]
    public async Task Events_tells()
    {
        await PodAsync("eventful");
        Assert.Matches(@"Normal\s+Started\s+Pod/eventful", await V.OkAsync("events --for=pod/eventful"));
    }

    [Fact]
    public async Task Debug_adds_an_ephemeral_container()
    {
        await PodAsync("debugged");
        await V.OkAsync("debug debugged --image=busybox:stable --container=helper --target=main --profile=general -- sh -c", "echo from the helper; sleep 1000");
        await K.WaitAsync("debugged", "jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt}");
        Assert.Equal("from the helper\n", await V.OkAsync("logs debugged -c helper"));
        Assert.Contains("sleep 1000", await K.ShAsync("debugged", "ps", "helper"));
    }
}

/// <summary>kubectl of Debian's package, which streams over SPDY.</summary>
public sealed class DebianKubectlTests(ClusterFixture cluster) : VerbTests(cluster)
{
    protected override async ValueTask<Kubectl> KubectlAsync()
    {
        var (file, whyNot) = await DebianKubectl.GetAsync(Path.Combine(Cluster.Root, "k120"));
        Assert.SkipWhen(file is null, whyNot ?? "");
        return K with { File = file! };
    }
}

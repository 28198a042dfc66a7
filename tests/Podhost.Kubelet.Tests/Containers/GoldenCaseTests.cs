using System.Text.Json.Nodes;
using Google.Protobuf;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Yaml;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Tests.Support;
using Podhost.Kubelet.Volumes;
using Podhost.Kubelet.UserNamespaces;

namespace Podhost.Kubelet.Tests.PodConfig;

/// <summary>
/// tests/cases/podconfig/CASE: pod.yaml (the pod, then the objects it refers to), sandbox.json and container.json (all containers, in
/// order) as they must come out. PODHOST_REWRITE=1 writes what comes out; read the diff before committing it.
/// </summary>
public sealed class GoldenCaseTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("podconfig").FullName;

    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(CaseRoot()).Select(d => Path.GetFileName(d)).Order()];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Configuration_is_as_recorded(string name)
    {
        var directory = Path.Combine(CaseRoot(), name);
        var documents = YamlReader.ReadAll(await File.ReadAllTextAsync(Path.Combine(directory, "pod.yaml"))).Select(d => (JsonObject)d).ToList();
        var pod = ObjectCodec.ToModel<V1Pod>(documents[0]);
        var events = new RecordedEvents();
        var factory = Factory(documents, events);

        var sandbox = await Capture(() => factory.CreateSandboxConfigAsync(pod, 0, default));
        Compare(Path.Combine(directory, "sandbox.json"), Show(sandbox));

        var containers = new JsonArray();
        foreach (var (container, kind) in Containers(pod))
        {
            containers.Add(Show(await Capture(() => factory.CreateContainerConfigAsync(Request(pod, container, kind, sandbox.Config), default))));
        }

        var result = new JsonObject { ["containers"] = containers };
        if (events.Events.Count > 0)
        {
            result["events"] = new JsonArray([.. events.Events.Select(e => (JsonNode)$"{e.Reason}: {e.Message}")]);
        }

        Compare(Path.Combine(directory, "container.json"), result);
    }

    private ContainerConfigFactory Factory(IEnumerable<JsonObject> documents, RecordedEvents events)
    {
        var objects = new FakeObjects();
        foreach (var document in documents.Skip(1))
        {
            Add(objects, document);
        }

        var resolvConf = Path.Combine(_root, "resolv.conf");
        File.WriteAllText(resolvConf, "# of the node\nnameserver 192.0.2.53\nsearch corp.example.\noptions edns0 trust-ad\n");
        var hosts = Path.Combine(_root, "hosts");
        File.WriteAllText(hosts, "127.0.0.1\tlocalhost\n");
        var options = new ContainerConfigOptions
        {
            RootDirectory = Path.Combine(_root, "kubelet"),
            PodLogsDirectory = Path.Combine(_root, "logs"),
            SeccompProfileRoot = "/var/lib/kubelet/seccomp",
            ClusterDns = ["10.96.0.10"],
            ResolvConf = resolvConf,
            HostsFile = hosts,
            NodeHostname = "node-1",
            AllowedUnsafeSysctls = ["kernel.msg*"],
        };
        return new ContainerConfigFactory(options, new ContainerConfigDependencies
        {
            Objects = objects,
            Volumes = new FakeVolumes(),
            Events = events,
            Node = () => Objects.Node(),
            Users = new PodUsers(Path.Combine(_root, "kubelet", "pods"), () => UserRange.Default()),
            HostIPs = () => ["192.0.2.10"],
        });
    }

    private static void Add(FakeObjects objects, JsonObject document)
    {
        switch (document["kind"]!.GetValue<string>())
        {
            case "ConfigMap":
                objects.Set(ObjectCodec.ToModel<V1ConfigMap>(document));
                break;
            case "Secret":
                var secret = ObjectCodec.ToModel<V1Secret>(document);
                objects.Secrets[$"{secret.Metadata.NamespaceProperty}/{secret.Metadata.Name}"] = secret;
                break;
            case "Service":
                objects.Services!.Add(ObjectCodec.ToModel<V1Service>(document));
                break;
            case var other:
                throw new InvalidOperationException($"{other} in a case");
        }
    }

    private static IEnumerable<(V1Container Container, ContainerKind Kind)> Containers(V1Pod pod) =>
        (pod.Spec.InitContainers ?? []).Select(c => (c, ContainerKind.Init)).Concat(pod.Spec.Containers.Select(c => (c, ContainerKind.Main)));

    private static ContainerConfigRequest Request(V1Pod pod, V1Container container, ContainerKind kind, IMessage? sandbox) => new()
    {
        Pod = pod,
        Container = container,
        Kind = kind,
        Attempt = 1,
        PodIPs = pod.Spec.HostNetwork == true ? ["192.0.2.10"] : ["10.88.0.5"],
        ImageRef = "sha256:0123",
        Image = new Image { Id = "sha256:0123", Username = container.Image == "named" ? "app" : "", Uid = container.Image == "user" ? new Int64Value { Value = 1000 } : null },
        Sandbox = sandbox as PodSandboxConfig ?? new PodSandboxConfig(),
    };

    private static async Task<(IMessage? Config, ContainerConfigException? Error)> Capture<T>(Func<Task<T>> create)
        where T : class, IMessage
    {
        try
        {
            return (await create(), null);
        }
        catch (ContainerConfigException e)
        {
            return (null, e);
        }
    }

    private JsonNode Show((IMessage? Config, ContainerConfigException? Error) result) => result.Error is { } error
        ? new JsonObject { ["error"] = $"{error.Reason}: {error.Message}" }
        : JsonNode.Parse(new JsonFormatter(JsonFormatter.Settings.Default).Format(result.Config).Replace(_root, "ROOT"))!;

    private static void Compare(string path, JsonNode actual)
    {
        var text = actual.ToJsonString(new System.Text.Json.JsonSerializerOptions
        {
            WriteIndented = true,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }) + "\n";
        if (Environment.GetEnvironmentVariable("PODHOST_REWRITE") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }

    private static string CaseRoot()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            var candidate = Path.Combine(d.FullName, "tests", "cases", "podconfig");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException("tests/cases/podconfig");
    }

    private sealed class FakeVolumes : IVolumeManager
    {
        public Task MountAsync(V1Pod pod, IReadOnlyList<string> podIPs, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<IReadOnlyList<Mount>> ResolveMountsAsync(
            V1Pod pod, V1Container container, IReadOnlyDictionary<string, string> env, MountSupport runtime, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<Mount>>([.. (container.VolumeMounts ?? []).Select(m => new Mount { ContainerPath = m.MountPath, HostPath = "/volumes/" + m.Name })]);

        public IReadOnlyList<Device> ResolveDevices(V1Pod pod, V1Container container) => [];

        public Task UnmountAsync(string podUid, CancellationToken cancellationToken) => Task.CompletedTask;

        public IReadOnlyCollection<string> PodsOnDisk() => [];
    }
}

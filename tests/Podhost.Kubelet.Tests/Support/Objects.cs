using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Yaml;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Sources;

namespace Podhost.Kubelet.Tests.Support;

/// <summary>Objects from YAML, and what pods refer to.</summary>
internal static class Objects
{
    public static T From<T>(string yaml) => ObjectCodec.ToModel<T>(YamlReader.ReadObject(yaml));

    public static V1Pod Pod(string spec, string name = "web", string uid = "11111111-2222-3333-4444-555555555555")
    {
        var pod = From<V1Pod>("spec:\n" + Indent(spec));
        pod.Metadata ??= new V1ObjectMeta();
        pod.Metadata.Name = name;
        pod.Metadata.NamespaceProperty = "shop";
        pod.Metadata.Uid = uid;
        return pod;
    }

    public static NodeResources Node(string cpu = "2", string memory = "4Gi")
    {
        var list = new Dictionary<string, ResourceQuantity>
        {
            ["cpu"] = new(cpu), ["memory"] = new(memory), ["ephemeral-storage"] = new("20Gi"), ["pods"] = new("110"),
        };
        return new NodeResources(list, list);
    }

    private static string Indent(string text) => string.Join('\n', text.Split('\n').Select(line => "  " + line));
}

/// <summary>API objects in memory.</summary>
internal sealed class FakeObjects : IObjectSource
{
    public Dictionary<string, V1ConfigMap> ConfigMaps { get; } = [];

    public Dictionary<string, V1Secret> Secrets { get; } = [];

    public List<V1Service>? Services { get; set; } = [];

    public Func<long, V1TokenRequestStatus>? Token { get; set; }

    public V1PersistentVolumeClaim? Claim { get; set; }

    public V1PersistentVolume? Volume { get; set; }

    public V1Node? Node { get; set; }

    public int TokensMade { get; private set; }

    public event Action<IReadOnlyCollection<string>>? Changed;

    public ValueTask<(V1PersistentVolumeClaim? Claim, V1PersistentVolume? Volume)> GetClaimAsync(string ns, string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult((Claim, Volume));

    public ValueTask<V1Node?> GetNodeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Node);

    public void Set(V1ConfigMap map) => ConfigMaps[map.Metadata.NamespaceProperty + "/" + map.Metadata.Name] = map;

    public void SetConfigMap(string name, params (string Key, string Value)[] data) => Set(new V1ConfigMap
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "shop" },
        Data = data.ToDictionary(d => d.Key, d => d.Value),
    });

    public void SetSecret(string name, params (string Key, string Value)[] data) => Secrets["shop/" + name] = new V1Secret
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "shop" },
        Data = data.ToDictionary(d => d.Key, d => System.Text.Encoding.UTF8.GetBytes(d.Value)),
    };

    public void RaiseChanged(params string[] podUids) => Changed?.Invoke(podUids);

    public ValueTask<V1ConfigMap?> GetConfigMapAsync(string ns, string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult(ConfigMaps.GetValueOrDefault(ns + "/" + name));

    public ValueTask<V1Secret?> GetSecretAsync(string ns, string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Secrets.GetValueOrDefault(ns + "/" + name));

    public ValueTask<IReadOnlyList<V1Service>?> GetServicesAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<V1Service>?>(Services);

    public ValueTask<V1TokenRequestStatus> CreateTokenAsync(
        string ns, string serviceAccount, string? audience, long expirationSeconds, V1Pod boundTo, CancellationToken cancellationToken)
    {
        TokensMade++;
        return ValueTask.FromResult((Token ?? throw new InvalidOperationException("no API server"))(expirationSeconds));
    }

    public void Track(V1Pod pod)
    {
    }

    public void Untrack(string podUid)
    {
    }
}

/// <summary>Keeps events.</summary>
internal sealed class RecordedEvents : IEventRecorder
{
    public List<(string Reason, string Message)> Events { get; } = [];

    public void Record(V1ObjectReference about, string type, string reason, string message, IReadOnlyDictionary<string, string>? annotations = null) => Events.Add((reason, message));
}

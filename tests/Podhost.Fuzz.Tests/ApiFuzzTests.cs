using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Patching;
using Podhost.Api.Quantities;
using Podhost.Api.Schema;
using Podhost.Api.Selectors;
using Podhost.Api.Yaml;
using Podhost.ApiServer.Routes.Protobuf;
using Podhost.Kubelet.Sources;

namespace Podhost.Fuzz.Tests;

/// <summary>What a user, a client or a directory of manifests may send.</summary>
public sealed class ApiFuzzTests
{
    private const string Pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}, annotations: {a: "b"}}
        spec:
          restartPolicy: Always
          initContainers:
          - {name: side, image: "a:1", restartPolicy: Always, startupProbe: {exec: {command: [sh, -c, exit 0]}}}
          containers:
          - name: app
            image: localhost:5000/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
            args: ["$(A)", '$$(B)']
            env:
            - {name: A, value: "1"}
            - {name: B, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
            - {name: C, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
            ports: [{containerPort: 8080, protocol: TCP, name: http}]
            resources: {requests: {cpu: 100m, memory: 1Gi}, limits: {cpu: "1.5", memory: 2G}}
            readinessProbe: {httpGet: {port: http, path: /ready}, periodSeconds: 5}
            lifecycle: {preStop: {sleep: {seconds: 3}}}
            securityContext: {runAsUser: 1000, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}
            volumeMounts: [{name: v, mountPath: /v, subPath: a/b}, {name: w, mountPath: /w, readOnly: true}]
          tolerations: [{key: a, operator: Exists, effect: NoSchedule}]
          affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: k, operator: In, values: [v]}]}]}}}
          volumes:
          - {name: v, emptyDir: {sizeLimit: 1Gi, medium: Memory}}
          - {name: w, hostPath: {path: /tmp, type: Directory}}
        """;

    private static readonly string[] YamlTokens =
        ["&a ", "*a", "<<: ", "!!int ", "---\n", "...\n", "? ", "- ", ": ", "|\n", ">-\n", "{", "}", "[", "]", "\t", "null", "~", "\"", "'", "#", "%TAG ! x\n", "spec:\n", "containers:\n"];

    [Fact]
    public void StaticPodManifests() => Fuzzer.Run(
        "pod manifest",
        6000,
        [Encoding.UTF8.GetBytes(Pod), ObjectCodec.ToUtf8(YamlReader.ReadObject(Pod))],
        YamlTokens,
        input => new StaticPodReader("node").Read("/manifests/pod.yaml", input),
        e => e is FormatException);

    [Fact]
    public void ProtobufBodies() => Fuzzer.Run("protobuf body", 20_000, [ProtobufPod()], ["k8s\0", "Pod", "v1"], input => ProtobufBody.ToJson(input), e => e is ApiException { Code: System.Net.HttpStatusCode.BadRequest });

    [Fact]
    public void Patches() => Fuzzer.Run(
        "patch",
        10_000,
        [
            """[{"op":"add","path":"/spec/containers/0/env/-","value":{"name":"X","value":"y"}},{"op":"remove","path":"/metadata/labels/app"},{"op":"test","path":"/kind","value":"Pod"}]"""u8.ToArray(),
            """[{"op":"move","from":"/spec/volumes","path":"/spec/old"},{"op":"copy","from":"/metadata","path":"/metadata/annotations/m"},{"op":"replace","path":"/spec/containers/0","value":1}]"""u8.ToArray(),
            """{"metadata":{"labels":{"app":null,"x":"y"}},"spec":{"containers":[{"name":"app","env":[{"name":"A","$patch":"delete"}]}],"$setElementOrder/containers":[{"name":"app"}]}}"""u8.ToArray(),
            """{"spec":{"volumes":[{"name":"v","$retainKeys":["name","hostPath"],"hostPath":{"path":"/x"}}],"tolerations":[{"$patch":"replace"},{"key":"z"}]},"metadata":{"$deleteFromPrimitiveList/finalizers":["x"]}}"""u8.ToArray(),
        ],
        ["\"$patch\":\"delete\"", "\"$patch\":\"merge\"", "\"$retainKeys\":[]", "/-", "~1", "~0", "~2", "/0", "{", "}", "[", "]", "null"],
        PatchEachWay,
        e => e is ApiException or JsonException);

    [Fact]
    public void Selectors() => Fuzzer.Run(
        "selector",
        30_000,
        ["a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1"u8.ToArray(), "metadata.name=x,status.phase!=Running"u8.ToArray()],
        [" in (", " notin (", "!", "=", "==", "!=", ",", "(", ")", ">", "<", "\\,", "\\="],
        SelectEachWay,
        e => e is FormatException);

    [Fact]
    public void Quantities() => Fuzzer.Run(
        "quantity",
        50_000,
        ["0.1"u8.ToArray(), "100m"u8.ToArray(), "1.5"u8.ToArray(), "1Gi"u8.ToArray(), "1e3"u8.ToArray(), "12E"u8.ToArray(), "-5n"u8.ToArray()],
        ["Ki", "Ei", "E", "e", "n", "u", "m", ".", "+", "-", "e-9", "e99"],
        input =>
        {
            // What is taken prints as something that reads as the same amount.
            var quantity = Quantity.Parse(Encoding.UTF8.GetString(input));
            Assert.Equal(quantity, Quantity.Parse(quantity.ToString()));
        },
        e => e is FormatException);

    private static void PatchEachWay(byte[] input)
    {
        var original = YamlReader.ReadObject(Pod);
        var patch = JsonText.Parse(input);
        if (patch is JsonArray operations)
        {
            JsonPatch.Apply(original, operations);
        }
        else if (patch is JsonObject merge)
        {
            MergePatch.Apply(original.DeepClone(), merge.DeepClone());
            StrategicMergePatch.Apply(SchemaCatalog.Get("io.k8s.api.core.v1.Pod"), original, merge);
        }
    }

    private static void SelectEachWay(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        try
        {
            FieldSelector.Parse(text);
        }
        catch (FormatException)
        {
            // It may still be a selector of labels.
        }

        LabelSelector.Parse(text);
    }

    /// <summary>A small Pod as client-go sends it: the envelope, then nested messages, maps and repeated strings.</summary>
    private static byte[] ProtobufPod()
    {
        static byte[] Field(int number, params byte[] value) => [(byte)((number << 3) | 2), (byte)value.Length, .. value];
        static byte[] Text(int number, string value) => Field(number, Encoding.UTF8.GetBytes(value));
        byte[] label = Field(11, [.. Text(1, "app"), .. Text(2, "web")]);
        byte[] metadata = Field(1, [.. Text(1, "web"), .. Text(3, "default"), .. label]);
        byte[] port = Field(6, [.. Text(1, "http"), (3 << 3) | 0, 0x90, 0x3f, .. Text(4, "TCP")]);
        byte[] container = Field(2, [.. Text(1, "app"), .. Text(2, "busybox"), .. Text(4, "sleep"), .. Text(4, "1"), .. port]);
        byte[] pod = [.. metadata, .. Field(2, [.. container, .. Text(3, "Always")])];
        return [.. "k8s\0"u8, .. Field(1, [.. Text(1, "v1"), .. Text(2, "Pod")]), .. Field(2, pod)];
    }
}

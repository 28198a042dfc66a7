using System.Text;
using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Schema;
using Podhost.ApiServer.Routes.Protobuf;

namespace Podhost.ApiServer.Tests;

public class ProtobufTests
{
    private const string Core = "io.k8s.api.core.v1.";

    // Fields that came after Kubernetes 1.36, and one type of 1.36 whose fields changed since. A client that sets one is told to send JSON.
    private static readonly HashSet<string> WithoutNumber =
    [
        "io.k8s.api.authentication.v1.TokenRequestSpec.attestations",
        "io.k8s.api.batch.v1.JobSpec.scheduling",
        Core + "ClusterTrustBundleProjection.user",
        Core + "ConfigMapVolumeSource.defaultUser",
        Core + "DownwardAPIVolumeFile.user",
        Core + "DownwardAPIVolumeSource.defaultUser",
        Core + "EmptyDirVolumeSource.mode",
        Core + "GRPCAction.mode",
        Core + "HTTPGetAction.protocol",
        Core + "KeyToPath.user",
        Core + "NodeSpec.podPreemptionPolicy",
        Core + "NodeSystemInfo.runningInUserNamespace",
        Core + "PersistentVolumeClaimStatus.healthStatus",
        Core + "PodCertificateProjection.user",
        Core + "PodSpec.evictionResponders",
        Core + "PodStatus.nodeAllocatableResourceClaimStatuses",
        Core + "PodStatus.volumeHealth",
        Core + "ProjectedVolumeSource.defaultUser",
        Core + "SecretVolumeSource.defaultUser",
        Core + "ServiceAccountTokenProjection.user",
        Core + "VolumeMount.bindMountOptions",
        "io.k8s.api.storage.v1.CSIDriverSpec.preventPodSchedulingIfMissing",
        "io.k8s.api.storage.v1.CSINode.status",
    ];

    [Fact]
    public void Every_field_of_the_served_kinds_has_a_number()
    {
        var (missing, seen) = (new SortedSet<string>(StringComparer.Ordinal), new HashSet<string>());
        var roots = ProtobufBody.Types.ToHashSet(StringComparer.Ordinal);
        var open = new Stack<string>(roots);
        while (open.TryPop(out var name))
        {
            if (!seen.Add(name))
            {
                continue;
            }

            var numbered = FieldNumbers.NamesOf(name).ToHashSet(StringComparer.Ordinal);
            foreach (var field in SchemaCatalog.Get(name).Fields)
            {
                // The envelope carries the type of the object itself.
                if (roots.Contains(name) && field.Name is "apiVersion" or "kind")
                {
                    continue;
                }

                if (!numbered.Contains(field.Name))
                {
                    missing.Add($"{name}.{field.Name}");
                }
                else if (TypeOf(field.Value) is { } type)
                {
                    open.Push(type.Name);
                }
            }
        }

        Assert.Equal(WithoutNumber.Order(StringComparer.Ordinal), missing);
        Assert.True(seen.Count > 200);
    }

    [Fact]
    public void Every_numbered_field_is_in_the_schema()
    {
        foreach (var name in SchemaCatalog.Names)
        {
            Assert.All(FieldNumbers.NamesOf(name), field => Assert.NotNull(SchemaCatalog.Get(name).Field(field)));
        }
    }

    [Fact]
    public void An_unknown_field_that_carries_something_is_refused()
    {
        // No field of PodSpec has this number.
        var spec = Bytes(99, Bytes(1, "x"u8.ToArray()));
        var error = Assert.Throws<ApiException>(() => ProtobufBody.ToJson(Envelope("v1", "Pod", Bytes(2, spec))));
        Assert.Equal("proto: field 99 of PodSpec is not supported in protobuf; send JSON", error.Message);
    }

    [Fact]
    public void An_empty_storage_class_is_not_the_same_as_none()
    {
        var claim = Read(Envelope("v1", "PersistentVolumeClaim", Bytes(2, [.. Bytes(5, []), .. Bytes(3, [])])));
        Assert.Equal("""{"storageClassName":""}""", claim["spec"]!.ToJsonString());
    }

    [Fact]
    public void A_zero_that_go_sends_for_none_is_dropped_and_one_that_was_set_is_kept()
    {
        byte[] zero = [0x60, 0]; // healthCheckNodePort
        Assert.Equal("{}", Read(Envelope("v1", "Service", Bytes(2, zero)))["spec"]!.ToJsonString());
        byte[] grace = [0x20, 0]; // terminationGracePeriodSeconds
        Assert.Equal("""{"terminationGracePeriodSeconds":0}""", Read(Envelope("v1", "Pod", Bytes(2, grace)))["spec"]!.ToJsonString());
    }

    private static SchemaType? TypeOf(SchemaValue? value) => value is null ? null : value.Type ?? TypeOf(value.Item);

    private static JsonNode Read(byte[] body) => JsonNode.Parse(ProtobufBody.ToJson(body))!;

    private static byte[] Envelope(string apiVersion, string kind, byte[] raw) =>
    [
        .. "k8s\0"u8,
        .. Bytes(1, [.. Bytes(1, Encoding.UTF8.GetBytes(apiVersion)), .. Bytes(2, Encoding.UTF8.GetBytes(kind))]),
        .. Bytes(2, raw),
    ];

    private static byte[] Bytes(int number, byte[] content)
    {
        var tag = (number << 3) | 2;
        return tag < 128 ? [(byte)tag, (byte)content.Length, .. content] : [(byte)(tag | 0x80), (byte)(tag >> 7), (byte)content.Length, .. content];
    }
}

using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Api.Schema;

namespace Podhost.Api.Tests.Schema;

public class FieldValidationTests
{
    private static FieldCheck Check(string json) => FieldValidation.Check(ResourceTable.For<V1Pod>(), Encoding.UTF8.GetBytes(json));

    [Fact]
    public void ReportsAndDropsUnknownAndDuplicateFields()
    {
        var check = Check("""
            {"kind":"Pod","spec":{"foo":{"x":[1]},"nodeName":"a","nodeName":"b","containers":[{"name":"a"},{"name":"b","imagee":"x","env":[{"nam":"x"}]}]},
             "metadata":{"labels":{"a":"1","a":"2"}}}
            """);
        Assert.Equal(
            [
                "unknown field \"spec.foo\"", "duplicate field \"spec.nodeName\"", "unknown field \"spec.containers[1].imagee\"",
                "unknown field \"spec.containers[1].env[0].nam\"", "duplicate field \"metadata.labels.a\"",
            ],
            check.Problems);
        GoldenCases.AssertSame(
            JsonNode.Parse("""{"kind":"Pod","spec":{"nodeName":"b","containers":[{"name":"a"},{"name":"b","env":[{}]}]},"metadata":{"labels":{"a":"2"}}}"""),
            check.Pruned);
    }

    [Theory]
    [InlineData("""{"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}}""",
        "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32")]
    [InlineData("""{"spec":{"containers":[{"ports":[{"containerPort":80.5}]}]}}""",
        "json: cannot unmarshal number 80.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32")]
    [InlineData("""{"spec":{"containers":[{"ports":[{"containerPort":99999999999}]}]}}""",
        "json: cannot unmarshal number 99999999999 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32")]
    [InlineData("""{"spec":{"containers":{}}}""", "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container")]
    [InlineData("""{"spec":[]}""", "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec")]
    [InlineData("""{"metadata":{"labels":{"a":1}}}""", "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of type string")]
    [InlineData("""{"spec":{"hostNetwork":"true"}}""", "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool")]
    [InlineData("""{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}""", "quantities must match the regular expression")]
    [InlineData("""{"metadata":{"creationTimestamp":"yesterday"}}""", "parsing time \"yesterday\"")]
    [InlineData("[]", "json: cannot unmarshal array into Go value of type v1.Pod")]
    public void RefusesWrongTypes(string json, string message)
    {
        var e = Assert.Throws<ApiException>(() => Check(json));
        Assert.Equal(400, (int)e.Code);
        Assert.StartsWith("Pod in version \"v1\" cannot be handled as a Pod: " + message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} x")]
    [InlineData("{\"a\":1,}")]
    public void RefusesBadJson(string json) => Assert.Equal(400, (int)Assert.Throws<ApiException>(() => Check(json)).Code);

    [Fact]
    public void DeepJsonIsRefusedAsBadRequest() => Assert.Equal(400, (int)Assert.Throws<ApiException>(
        () => Check("""{"metadata":{"managedFields":[{"fieldsV1":""" + string.Concat(Enumerable.Repeat("{\"a\":", 3000)) + "1")).Code);

    [Fact]
    public void NormalizesAsDecodingDoes()
    {
        var check = Check("""
            {"metadata":{"creationTimestamp":null,"finalizers":[],"labels":{},"deletionTimestamp":"2024-01-02T03:04:05+01:00"},
             "spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}},"livenessProbe":{"httpGet":{"port":"web"}},"readinessProbe":{"tcpSocket":{"port":80}}}]}}
            """);
        Assert.Empty(check.Problems);
        GoldenCases.AssertSame(
            JsonNode.Parse("""
            {"metadata":{"deletionTimestamp":"2024-01-02T02:04:05Z"},
             "spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"resources":{"limits":{"cpu":"500m","memory":"1Gi"}},"livenessProbe":{"httpGet":{"port":"web"}},"readinessProbe":{"tcpSocket":{"port":80}}}]}}
            """),
            check.Pruned);
    }

    [Fact]
    public void NamesTheKindOfBodies() => Assert.StartsWith(
        "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
        Assert.Throws<ApiException>(() => FieldValidation.Check(
            SchemaCatalog.Get("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"), """{"gracePeriodSeconds":"1"}"""u8)).Message, StringComparison.Ordinal);

    [Fact]
    public void ChecksSecretData() => Assert.Contains("illegal base64 data at input byte 3", Assert.Throws<ApiException>(
        () => FieldValidation.Check(ResourceTable.For<V1Secret>(), """{"data":{"a":"abc!"}}"""u8)).Message);

    [Fact]
    public void ChecksObjects()
    {
        var check = FieldValidation.Check(ResourceTable.For<V1Pod>(), (JsonObject)JsonNode.Parse("""{"spec":{"foo":1,"nodeName":"a"}}""")!);
        Assert.Equal(["unknown field \"spec.foo\""], check.Problems);
        GoldenCases.AssertSame(JsonNode.Parse("""{"spec":{"nodeName":"a"}}"""), check.Pruned);
    }
}

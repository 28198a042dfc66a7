using System.Text.Json.Nodes;
using CsCheck;
using Podhost.Api.Defaulting;
using Podhost.Api.Resources;
using Podhost.Api.Validation;

namespace Podhost.Api.Tests.Validation;

public sealed class PodValidityPropertyTests
{
    private static readonly ResourceInfo Pods = ResourceTable.FindKind("v1", "Pod")!;

    private static readonly string[] Broken = ["containers", "volumes", "affinity", "securityContext", "restartPolicy", "nodeSelector", "tolerations"];

    private static readonly Gen<string> Label =
        Gen.Char["abcdefghijklmnopqrstuvwxyz0123456789"].Array[1, 20].Select(c => new string(c));

    private static readonly Gen<JsonObject> MinimalPod =
        from name in Label
        from containers in Label.Array[1, 4]
        from port in Gen.Int[1, 65535]
        select new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default" },
            ["spec"] = new JsonObject
            {
                ["containers"] = new JsonArray([.. containers.Distinct().Select(c => (JsonNode)new JsonObject
                {
                    ["name"] = c,
                    ["image"] = c,
                    ["ports"] = new JsonArray(new JsonObject { ["containerPort"] = port }),
                })]),
            },
        };

    [Fact]
    public void DefaultedMinimalPodIsValid() => MinimalPod.Sample(pod =>
    {
        ObjectDefaulter.Apply(Pods, pod);
        return ObjectValidator.ValidateCreate(Pods, pod).Count == 0;
    });

    [Fact]
    public void UnchangedPodMayBeWritten() => MinimalPod.Sample(pod =>
    {
        ObjectDefaulter.Apply(Pods, pod);
        return ObjectValidator.ValidateUpdate(Pods, pod, (JsonObject)pod.DeepClone(), null).Count == 0;
    });

    [Fact]
    public void ValuesOfWrongTypesNeverThrow() =>
        Gen.Select(MinimalPod, Gen.Int[0, Broken.Length - 1], Gen.Int[0, 4]).Sample((pod, field, kind) =>
        {
            pod["spec"]![Broken[field]] = kind switch { 0 => 1, 1 => "x", 2 => new JsonArray(1, "x", null), 3 => new JsonObject { ["a"] = true }, _ => false };
            return ObjectValidator.ValidateCreate(Pods, pod) is not null;
        });
}

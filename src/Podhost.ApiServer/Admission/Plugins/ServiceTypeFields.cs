using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>
/// Fields that go with a Service's type: who changes only the type wants no more of what came with the former one. What was changed too stays, for the
/// validator to judge. Source: upstream's dropTypeDependentFields.
/// </summary>
internal static class ServiceTypeFields
{
    /// <summary>Takes away what the new type does not use.</summary>
    /// <param name="spec">The Service's.</param>
    /// <param name="old">As it was; null: it is created, and nothing is taken away.</param>
    public static void Drop(JsonObject spec, JsonObject? old)
    {
        if (old is null)
        {
            return;
        }

        if (HasNodePorts(old) && !HasNodePorts(spec) && NodePorts(spec).SequenceEqual(NodePorts(old)))
        {
            Ports(spec).ForEach(port => port.Remove("nodePort"));
        }

        Drop(spec, old, "healthCheckNodePort", s => Type(s) == "LoadBalancer" && PodAdmission.Text(s["externalTrafficPolicy"]) == "Local");
        Drop(spec, old, "allocateLoadBalancerNodePorts", s => Type(s) == "LoadBalancer");
        Drop(spec, old, "loadBalancerClass", s => Type(s) == "LoadBalancer");
        Drop(spec, old, "externalTrafficPolicy", s => HasNodePorts(s) || (Type(s) == "ClusterIP" && s["externalIPs"] is JsonArray { Count: > 0 }));
    }

    private static void Drop(JsonObject spec, JsonObject old, string field, Func<JsonObject, bool> isUsed)
    {
        if (isUsed(old) && !isUsed(spec) && JsonNode.DeepEquals(spec[field], old[field]))
        {
            spec.Remove(field);
        }
    }

    private static string Type(JsonObject spec) => PodAdmission.Text(spec["type"]) ?? "ClusterIP";

    private static bool HasNodePorts(JsonObject spec) => Type(spec) is "NodePort" or "LoadBalancer";

    private static List<JsonObject> Ports(JsonObject spec) => [.. ((spec["ports"] as JsonArray) ?? []).OfType<JsonObject>()];

    private static IEnumerable<string> NodePorts(JsonObject spec) => Ports(spec).Select(port => port["nodePort"]?.ToJsonString()).OfType<string>().Order(StringComparer.Ordinal);
}

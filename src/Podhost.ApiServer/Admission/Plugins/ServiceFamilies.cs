using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Validation;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>
/// Address families of a Service: which it gets where it does not say, and what the cluster cannot give. Pure but for the object that it completes.
/// Source: upstream's initIPFamilyFields.
/// </summary>
internal static class ServiceFamilies
{
    private const string IPv4 = "IPv4";
    private const string IPv6 = "IPv6";
    private const string SingleStack = "SingleStack";
    private const string PreferDualStack = "PreferDualStack";
    private const string RequireDualStack = "RequireDualStack";

    /// <summary>Fills in policy and families.</summary>
    /// <param name="spec">The Service's, whose address fields agree with each other.</param>
    /// <param name="old">As it was; null: it is created.</param>
    /// <param name="name">The Service's name, for messages.</param>
    /// <param name="configured">The families of the cluster, the default one first.</param>
    /// <exception cref="ApiException">The cluster cannot give what is asked, or a family is released without the policy saying so.</exception>
    public static void Apply(JsonObject spec, JsonObject? old, string name, IReadOnlyList<string> configured)
    {
        // A Service that prefers two keeps what it has, whatever the cluster has become.
        if (KeepsPreference(spec, old))
        {
            return;
        }

        var isBare = IsHeadless(spec) && spec["selector"] is not JsonObject { Count: > 0 };
        var policy = Text(spec, "ipFamilyPolicy") ?? Text(old, "ipFamilyPolicy") ?? (isBare ? RequireDualStack : SingleStack);
        spec["ipFamilyPolicy"] = policy;
        var errors = new List<FieldError>();
        Release(spec, old, policy, errors);
        InferFromAddresses(spec, configured, errors);
        Throw(name, errors);
        var families = List(spec, "ipFamilies");
        if (!isBare)
        {
            Demand(families, policy, configured, errors);
            Throw(name, errors);
        }

        Complete(families, policy, isBare || configured.Count == 2, configured);
        spec["ipFamilies"] = Array(families);
    }

    /// <summary>The strings of a list.</summary>
    internal static List<string> List(JsonObject? spec, string field) => [.. ((spec?[field] as JsonArray) ?? []).Select(PodAdmission.Text).OfType<string>()];

    /// <summary>A list of strings.</summary>
    internal static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>It has no cluster IP by its own wish.</summary>
    internal static bool IsHeadless(JsonObject spec) => Text(spec, "clusterIP") == "None";

    private static bool KeepsPreference(JsonObject spec, JsonObject? old) =>
        old is not null && Text(spec, "ipFamilyPolicy") == PreferDualStack && Text(old, "ipFamilyPolicy") is null or PreferDualStack
        && Text(spec, "type") == Text(old, "type") && Text(old, "type") != "ExternalName"
        && List(spec, "clusterIPs").SequenceEqual(List(old, "clusterIPs")) && List(spec, "ipFamilies").SequenceEqual(List(old, "ipFamilies"));

    // One family is clear where nothing but the policy changed; without the policy nothing is released.
    private static void Release(JsonObject spec, JsonObject? old, string policy, List<FieldError> errors)
    {
        foreach (var (field, what) in ((string, string)[])[("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")])
        {
            var (now, had) = (List(spec, field), List(old, field));
            if (policy != SingleStack)
            {
                if (now.Count > 0 && now.Count < had.Count)
                {
                    errors.Add(Invalid("spec.ipFamilyPolicy", $"\"{policy}\"", $"must be 'SingleStack' to release the secondary {what}"));
                }

                continue;
            }

            if (old is not null && now.Count > 1 && now.SequenceEqual(had))
            {
                spec[field] = Array(now.Take(1));
            }
            else if (now.Count == 2)
            {
                errors.Add(Invalid(
                    "spec.ipFamilyPolicy", $"\"{policy}\"", $"must be 'RequireDualStack' or 'PreferDualStack' when multiple {(field == "clusterIPs" ? "cluster IPs" : "IP families")} are specified"));
            }
        }
    }

    private static void InferFromAddresses(JsonObject spec, IReadOnlyList<string> configured, List<FieldError> errors)
    {
        var (addresses, families) = (List(spec, "clusterIPs"), List(spec, "ipFamilies"));
        for (var i = families.Count; i < addresses.Count && addresses[i] != "None"; i++)
        {
            var family = addresses[i].Contains(':', StringComparison.Ordinal) ? IPv6 : IPv4;
            if (configured.Contains(family))
            {
                families.Add(family);
            }
            else
            {
                errors.Add(Invalid($"spec.clusterIPs[{i}]", Printed(addresses), $"{family} is not configured on this cluster"));
            }
        }

        spec["ipFamilies"] = Array(families);
    }

    private static void Demand(List<string> families, string policy, IReadOnlyList<string> configured, List<FieldError> errors)
    {
        if (policy == RequireDualStack && configured.Count < 2)
        {
            errors.Add(Invalid("spec.ipFamilyPolicy", $"\"{policy}\"", "this cluster is not configured for dual-stack services"));
        }

        for (var i = 0; i < families.Count; i++)
        {
            if (!configured.Contains(families[i]))
            {
                errors.Add(Invalid($"spec.ipFamilies[{i}]", $"\"{families[i]}\"", "not configured on this cluster"));
            }
        }
    }

    private static void Complete(List<string> families, string policy, bool canHaveTwo, IReadOnlyList<string> configured)
    {
        if (families.Count == 0)
        {
            families.Add(configured[0]);
        }

        if (policy != SingleStack && families.Count == 1 && canHaveTwo)
        {
            families.Add(families[0] == IPv4 ? IPv6 : IPv4);
        }
    }

    internal static string Printed(IEnumerable<string> texts) => $"[{string.Join(',', texts.Select(text => $"\"{text}\""))}]";

    private static string? Text(JsonObject? spec, string field) => PodAdmission.Text(spec?[field]) is { Length: > 0 } text ? text : null;

    private static FieldError Invalid(string field, string value, string detail) => FieldError.Invalid(field, value, detail);

    private static void Throw(string name, List<FieldError> errors)
    {
        if (errors.Count > 0)
        {
            throw ApiException.Invalid("", "Service", name, [.. errors]);
        }
    }
}

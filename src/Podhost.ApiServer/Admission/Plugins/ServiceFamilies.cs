using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Validation;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>Address families of a Service where the service range is IPv4 alone. Source: upstream's service ipfamily allocation.</summary>
internal static class ServiceFamilies
{
    /// <summary>Fills in the family, and refuses what only a dual-stack cluster can give.</summary>
    public static void Apply(JsonObject spec, string name)
    {
        if (PodAdmission.Text(spec["ipFamilyPolicy"]) == "RequireDualStack")
        {
            throw Invalid(name, "spec.ipFamilyPolicy", "\"RequireDualStack\"", "this cluster is not configured for dual-stack services");
        }

        var families = ((spec["ipFamilies"] as JsonArray) ?? []).Select(PodAdmission.Text).ToList();
        if (families.IndexOf("IPv6") is var index and >= 0 && PodAdmission.Text(spec["ipFamilyPolicy"]) != "PreferDualStack")
        {
            throw Invalid(name, $"spec.ipFamilies[{index}]", "\"IPv6\"", "not configured on this cluster");
        }

        spec["ipFamilies"] = new JsonArray("IPv4");
        spec["ipFamilyPolicy"] ??= "SingleStack";
    }

    private static ApiException Invalid(string name, string field, string value, string detail) =>
        ApiException.Invalid("", "Service", name, [FieldError.Invalid(field, value, detail)]);
}

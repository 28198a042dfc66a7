using System.Text.Json.Nodes;

namespace Podhost.Api.Validation.Services;

/// <summary>The rules of a Service's address fields for who fills them in: what is wrong is left to the validation of the whole object.</summary>
public static class ServiceAddressFields
{
    /// <summary>clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy agree with each other and hold addresses and families.</summary>
    /// <param name="service">The Service.</param>
    public static bool AreFine(JsonObject service)
    {
        var faults = new List<FieldError>();
        ServiceAddressRules.Check(new Field(service, faults)["spec"]);
        return faults.Count == 0;
    }
}

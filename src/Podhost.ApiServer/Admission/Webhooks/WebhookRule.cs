using System.Text.Json.Nodes;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>One rule of a webhook: operations on resources. Pure.</summary>
/// <remarks>Source: apiserver pkg/admission/plugin/webhook/predicates/rules.</remarks>
internal sealed record WebhookRule(
    IReadOnlyList<string> Operations, IReadOnlyList<string> Groups, IReadOnlyList<string> Versions, IReadOnlyList<string> Resources, string Scope)
{
    public static WebhookRule Read(JsonObject rule) => new(
        Strings(rule["operations"]), Strings(rule["apiGroups"]), Strings(rule["apiVersions"]), Strings(rule["resources"]), Meta.Text(rule["scope"]));

    /// <summary>True where the rule names an operation on a resource or subresource.</summary>
    /// <param name="operation">CREATE, UPDATE, DELETE or CONNECT.</param>
    /// <param name="resource">The resource, in the version that is asked about.</param>
    /// <param name="subresource">Subresource, or empty.</param>
    /// <param name="isNamespaced">True where the request is one in a namespace.</param>
    public bool Matches(string operation, ResourceInfo resource, string subresource, bool isNamespaced) =>
        Has(Operations, operation) && Has(Groups, resource.Group) && Has(Versions, resource.Version)
        && (Scope is "" or "*" || Scope == (isNamespaced ? "Namespaced" : "Cluster"))
        && Resources.Any(r => Matches(r, resource.Plural, subresource));

    private static bool Matches(string pattern, string plural, string subresource)
    {
        var at = pattern.IndexOf('/', StringComparison.Ordinal);
        var (name, sub) = at < 0 ? (pattern, "") : (pattern[..at], pattern[(at + 1)..]);
        return (name == "*" || name == plural) && (sub == subresource || sub == "*");
    }

    private static bool Has(IReadOnlyList<string> list, string value) => list.Contains("*") || list.Contains(value);

    private static string[] Strings(JsonNode? list) => list is JsonArray a ? [.. a.Select(Meta.Text)] : [];
}

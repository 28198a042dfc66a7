using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Client;

namespace Podhost.Control.CustomKinds;

/// <summary>The kinds that a server serves beyond the resource table: what definitions made, found by discovery.</summary>
internal static class DiscoveredKinds
{
    private const string Accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    /// <summary>The kinds that can be listed, watched and deleted, each in the version that the server prefers.</summary>
    /// <exception cref="ApiException">The server answered with a failure.</exception>
    /// <exception cref="HttpRequestException">No answer came.</exception>
    public static async Task<IReadOnlyList<ResourceInfo>> ReadAsync(IApiClient client, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/apis", UriKind.Relative));
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(Accept));
        using var response = await client.SendAsync(request, cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return response.IsSuccessStatusCode
            ? Parse(ObjectCodec.ParseJson(body))
            : throw ApiException.Make((int)response.StatusCode, "Unknown", $"the server answered {(int)response.StatusCode} to discovery");
    }

    /// <summary>The kinds of an aggregated discovery document.</summary>
    internal static IReadOnlyList<ResourceInfo> Parse(JsonObject document)
    {
        var found = new Dictionary<(string, string), ResourceInfo>();
        foreach (var group in Objects(document["items"]))
        {
            var name = Text(group["metadata"]?["name"]);
            foreach (var version in Objects(group["versions"]))
            {
                foreach (var resource in Objects(version["resources"]).Select(r => Read(name, Text(version["version"]), r)).OfType<ResourceInfo>())
                {
                    // Versions come in the server's order of preference.
                    found.TryAdd((resource.Group, resource.Plural), resource);
                }
            }
        }

        return [.. found.Values];
    }

    private static ResourceInfo? Read(string group, string version, JsonObject resource)
    {
        var (plural, kind) = (Text(resource["resource"]), Text(resource["responseKind"]?["kind"]));
        var verbs = (resource["verbs"] as JsonArray ?? []).Select(Text).ToList();
        var isKnown = ResourceTable.All.Any(r => r.Group == group && r.Plural == plural);
        return isKnown || plural.Length == 0 || !verbs.Contains("list") || !verbs.Contains("watch") || !verbs.Contains("delete") ? null : new ResourceInfo
        {
            Group = group,
            Version = version,
            Kind = kind,
            Plural = plural,
            Singular = Text(resource["singularResource"]),
            Namespaced = Text(resource["scope"]) == "Namespaced",
            Verbs = verbs,
            ModelType = typeof(JsonObject),
            SchemaName = "",
        };
    }

    private static IEnumerable<JsonObject> Objects(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();

    private static string Text(JsonNode? node) => node is JsonValue v && v.TryGetValue(out string? text) ? text : "";
}

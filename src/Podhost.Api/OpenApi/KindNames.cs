using Podhost.Api.Resources;

namespace Podhost.Api.OpenApi;

/// <summary>A group, version and kind.</summary>
internal readonly record struct KindName(string Group, string Version, string Kind);

/// <summary>Which schema types are kinds (x-kubernetes-group-version-kind), and how parts of the API that are no resources are called.</summary>
internal static class KindNames
{
    public const string Meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    public const string Patch = Meta + "Patch";
    public const string Status = Meta + "Status";
    public const string DeleteOptions = Meta + "DeleteOptions";
    public const string WatchEvent = Meta + "WatchEvent";
    public const string ResourceList = Meta + "APIResourceList";

    private static readonly Dictionary<KindName, string> Parts = new()
    {
        [new("", "v1", "Binding")] = "io.k8s.api.core.v1.Binding",
        [new("autoscaling", "v1", "Scale")] = "io.k8s.api.autoscaling.v1.Scale",
        [new("policy", "v1", "Eviction")] = "io.k8s.api.policy.v1.Eviction",
        [new("authentication.k8s.io", "v1", "TokenRequest")] = "io.k8s.api.authentication.v1.TokenRequest",
    };

    /// <summary>The type of a kind that a subresource carries; null for the options of connections, which are query parameters only.</summary>
    public static string? SchemaOf(ResourceInfo resource, SubresourceInfo subresource)
    {
        var kind = KindOf(resource, subresource);
        return subresource.Kind == resource.Kind ? resource.SchemaName : Parts.GetValueOrDefault(kind);
    }

    public static KindName KindOf(ResourceInfo resource) => new(resource.Group, resource.Version, resource.Kind);

    public static KindName KindOf(ResourceInfo resource, SubresourceInfo subresource) =>
        new(subresource.Group ?? resource.Group, subresource.Version ?? resource.Version, subresource.Kind);

    /// <summary>Types that are kinds, with their names.</summary>
    public static Dictionary<string, List<KindName>> BySchema(IReadOnlyList<ResourceInfo> resources)
    {
        var result = new Dictionary<string, List<KindName>>(StringComparer.Ordinal);
        void Add(string schema, KindName kind) => (result.TryGetValue(schema, out var list) ? list : result[schema] = []).Add(kind);

        foreach (var r in resources)
        {
            Add(r.SchemaName, KindOf(r));
            Add(r.SchemaName + "List", KindOf(r) with { Kind = r.ListKind });
        }

        foreach (var (kind, schema) in Parts)
        {
            Add(schema, kind);
        }

        Add(Status, new("", "v1", "Status"));
        Add(ResourceList, new("", "v1", "APIResourceList"));
        foreach (var (group, version) in resources.Select(r => (r.Group, r.Version)).Distinct())
        {
            Add(DeleteOptions, new(group, version, "DeleteOptions"));
            Add(WatchEvent, new(group, version, "WatchEvent"));
        }

        return result;
    }
}

namespace Podhost.Api.Resources;

/// <summary>The resources that a server serves at one moment: the table's, and those that definitions make. Immutable.</summary>
public sealed class ResourceSet
{
    private readonly Dictionary<(string, string, string), ResourceInfo> byPath = [];
    private readonly Dictionary<(string, string), ResourceInfo> byKind = [];

    private ResourceSet(IReadOnlyList<ResourceInfo> custom)
    {
        var all = new List<ResourceInfo>(ResourceTable.All);
        ResourceTable.All.ToList().ForEach(Add);

        // A definition cannot take a built-in resource's place.
        foreach (var resource in custom.Where(r => !byPath.ContainsKey((r.Group, r.Version, r.Plural))))
        {
            Add(resource);
            all.Add(resource);
        }

        All = all;
    }

    /// <summary>The table's resources only.</summary>
    public static ResourceSet BuiltIn { get; } = new([]);

    /// <summary>All resources, in discovery order.</summary>
    public IReadOnlyList<ResourceInfo> All { get; }

    /// <summary>The table's resources and these.</summary>
    public static ResourceSet With(IReadOnlyList<ResourceInfo> custom) => custom.Count == 0 ? BuiltIn : new ResourceSet(custom);

    /// <summary>The resource of a path, or null.</summary>
    public ResourceInfo? Find(string group, string version, string plural) => byPath.GetValueOrDefault((group, version, plural));

    /// <summary>The resource of an apiVersion and kind, or null.</summary>
    public ResourceInfo? FindKind(string apiVersion, string kind) => byKind.GetValueOrDefault((apiVersion, kind));

    private void Add(ResourceInfo resource)
    {
        byPath[(resource.Group, resource.Version, resource.Plural)] = resource;
        byKind.TryAdd((resource.ApiVersion, resource.Kind), resource);
    }
}

using Podhost.Api.Resources;

namespace Podhost.ApiServer.WatchCache;

/// <summary>Where objects lie in the store: upstream's layout, so that tools which read etcd find them.</summary>
internal sealed class KeyLayout(string storePrefix)
{
    /// <summary>Prefix of everything, with a slash at the end.</summary>
    public string StorePrefix { get; } = storePrefix;

    /// <summary>Prefix of a resource's keys, with a slash at the end. Two views of one stored kind share it.</summary>
    public string Prefix(ResourceInfo resource)
    {
        var stored = resource.StoredAs ?? resource;
        if (stored.Custom is not null)
        {
            return $"{StorePrefix}{stored.Group}/{stored.Plural}/";
        }

        return StorePrefix + (stored.Group, stored.Plural) switch
        {
            // Names that upstream keeps from before its first release.
            ("", "nodes") => "minions",
            ("", "services") => "services/specs",
            ("", "endpoints") => "services/endpoints",
            _ => stored.Plural,
        } + "/";
    }

    /// <summary>Prefix of a namespace's objects, or of all where the namespace is empty.</summary>
    public string Prefix(ResourceInfo resource, string ns) =>
        resource.Namespaced && ns.Length > 0 ? $"{Prefix(resource)}{ns}/" : Prefix(resource);

    /// <summary>Key of an object.</summary>
    public string Key(ResourceInfo resource, string ns, string name) => Prefix(resource, ns) + name;
}

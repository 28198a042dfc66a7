using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Metrics;

namespace Podhost.ApiServer.Discovery;

/// <summary>The discovery documents of a set of resources.</summary>
internal sealed class DiscoveryDocuments(ResourceSet resources)
{
    private readonly ILookup<(string Group, string Version), ResourceInfo> _byVersion = resources.All.ToLookup(r => (r.Group, r.Version));

    public ResourceSet Resources { get; } = resources;

    /// <summary>Groups with their versions in table order; the core group is not among them.</summary>
    private IEnumerable<IGrouping<string, string>> Groups => Resources.All
        .Where(r => r.Group.Length > 0)
        .Select(r => (r.Group, r.Version))
        .Distinct()
        .GroupBy(r => r.Group, r => r.Version, StringComparer.Ordinal);

    /// <summary>/api.</summary>
    public static JsonObject CoreVersions(string serverAddress) => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject
        {
            ["clientCIDR"] = "0.0.0.0/0",
            ["serverAddress"] = serverAddress,
        }),
    };

    /// <summary>/apis.</summary>
    public byte[] GroupList() => ObjectCodec.ToUtf8(new JsonObject
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. Groups.Select(g => (JsonNode)GroupObject(g)), MetricsGroup.Entry()]),
    });

    /// <summary>/apis/GROUP, or null.</summary>
    public byte[]? Group(string name)
    {
        var obj = name == MetricsGroup.Group ? MetricsGroup.Entry() : Groups.FirstOrDefault(g => g.Key == name) is { } group ? GroupObject(group) : null;
        if (obj is null)
        {
            return null;
        }

        obj.Insert(0, "kind", "APIGroup");
        obj.Insert(1, "apiVersion", "v1");
        return ObjectCodec.ToUtf8(obj);
    }

    /// <summary>/api/v1 and /apis/GROUP/VERSION, or null.</summary>
    public byte[]? ResourceList(string group, string version)
    {
        if ((group, version) == (MetricsGroup.Group, MetricsGroup.Version))
        {
            return ObjectCodec.ToUtf8(MetricsGroup.ResourceList());
        }

        if (!_byVersion.Contains((group, version)))
        {
            return null;
        }

        var resources = new JsonArray();
        foreach (var resource in _byVersion[(group, version)])
        {
            resources.Add((JsonNode)ResourceObject(resource));
            foreach (var sub in resource.Subresources)
            {
                resources.Add((JsonNode)SubresourceObject(resource, sub));
            }
        }

        var list = new JsonObject { ["kind"] = "APIResourceList" };
        if (group.Length > 0)
        {
            list["apiVersion"] = "v1";
        }

        list["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}";
        list["resources"] = resources;
        return ObjectCodec.ToUtf8(list);
    }

    /// <summary>The aggregated document of /api (core true) or /apis.</summary>
    /// <param name="core">True for the core group, false for all others.</param>
    /// <param name="apiVersion">v2 or v2beta1.</param>
    public byte[] Aggregated(bool core, string apiVersion)
    {
        var items = new JsonArray();
        var groups = core ? [("", (IEnumerable<string>)["v1"])] : Groups.Select(g => (g.Key, (IEnumerable<string>)g));
        foreach (var (name, versions) in groups)
        {
            items.Add((JsonNode)new JsonObject
            {
                ["metadata"] = name.Length == 0 ? new JsonObject { ["creationTimestamp"] = null } : new JsonObject { ["name"] = name, ["creationTimestamp"] = null },
                ["versions"] = new JsonArray([.. versions.Select(v => (JsonNode)new JsonObject
                {
                    ["version"] = v,
                    ["resources"] = new JsonArray([.. _byVersion[(name, v)].Select(r => (JsonNode)AggregatedResource(r))]),
                    ["freshness"] = "Current",
                })]),
            });
        }

        if (!core)
        {
            items.Add((JsonNode)MetricsGroup.Aggregated());
        }

        return ObjectCodec.ToUtf8(new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList",
            ["apiVersion"] = "apidiscovery.k8s.io/" + apiVersion,
            ["metadata"] = new JsonObject(),
            ["items"] = items,
        });
    }

    private static JsonObject GroupObject(IGrouping<string, string> group)
    {
        var versions = group.Select(v => new JsonObject { ["groupVersion"] = $"{group.Key}/{v}", ["version"] = v }).ToList();
        return new JsonObject
        {
            ["name"] = group.Key,
            ["versions"] = new JsonArray([.. versions.Select(v => (JsonNode)v)]),
            ["preferredVersion"] = versions[0].DeepClone(),
        };
    }

    private static JsonObject ResourceObject(ResourceInfo resource)
    {
        var obj = new JsonObject
        {
            ["name"] = resource.Plural,
            ["singularName"] = resource.Singular,
            ["namespaced"] = resource.Namespaced,
            ["kind"] = resource.Kind,
            ["verbs"] = Strings(resource.DiscoveredVerbs),
        };
        AddNames(obj, resource);
        if (!resource.IsVirtual)
        {
            obj["storageVersionHash"] = StorageVersionHash(resource.Custom is null ? resource.StoredAs ?? resource : resource);
        }

        return obj;
    }

    private static JsonObject SubresourceObject(ResourceInfo resource, SubresourceInfo sub)
    {
        var obj = new JsonObject
        {
            ["name"] = $"{resource.Plural}/{sub.Name}",
            ["singularName"] = "",
            ["namespaced"] = resource.Namespaced,
        };
        if (sub.Group is not null)
        {
            obj["group"] = sub.Group;
            obj["version"] = sub.Version;
        }

        obj["kind"] = sub.Kind;
        obj["verbs"] = Strings(sub.Verbs);
        return obj;
    }

    private static JsonObject AggregatedResource(ResourceInfo resource)
    {
        var obj = new JsonObject
        {
            ["resource"] = resource.Plural,
            ["responseKind"] = KindOf(resource.Group, resource.Version, resource.Kind),
            ["scope"] = resource.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = resource.Singular,
            ["verbs"] = Strings(resource.DiscoveredVerbs),
        };
        AddNames(obj, resource);
        if (resource.Subresources.Count > 0)
        {
            obj["subresources"] = new JsonArray([.. resource.Subresources.Select(s => (JsonNode)new JsonObject
            {
                ["subresource"] = s.Name,
                ["responseKind"] = KindOf(s.Group ?? resource.Group, s.Version ?? resource.Version, s.Kind),
                ["verbs"] = Strings(s.Verbs),
            })]);
        }

        return obj;
    }

    private static void AddNames(JsonObject obj, ResourceInfo resource)
    {
        if (resource.ShortNames.Count > 0)
        {
            obj["shortNames"] = Strings(resource.ShortNames);
        }

        if (resource.Categories.Count > 0)
        {
            obj["categories"] = Strings(resource.Categories);
        }
    }

    private static JsonObject KindOf(string group, string version, string kind) =>
        new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(v => (JsonNode)v)]);

    private static string StorageVersionHash(ResourceInfo resource)
    {
        var stored = resource.Custom?.StoredApiVersion ?? $"{resource.Group}/{resource.Version}";
        return Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{stored}/{resource.Kind}"))[..8]);
    }
}

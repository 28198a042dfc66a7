using System.Globalization;
using Podhost.Api.Resources;

namespace Podhost.Api.OpenApi;

/// <summary>The paths of resources, from the resource table.</summary>
internal static class ApiPaths
{
    public static string Base(string group, string version) => group.Length == 0 ? $"/api/{version}" : $"/apis/{group}/{version}";

    /// <summary>All paths of a group and version, in alphabetical order.</summary>
    public static IReadOnlyList<ApiPath> Of(string group, string version, IEnumerable<ResourceInfo> resources)
    {
        var prefix = Title(group) + Capital(version);
        var discovery = new ApiOperation(
            "get", $"get{prefix}APIResources", "", "get available resources", null, ApiParameter.None, null, KindNames.ResourceList);
        var paths = resources.SelectMany(OfResource).Append(new ApiPath(Base(group, version) + "/", [discovery]));
        return [.. paths.Where(p => p.Operations.Count > 0).OrderBy(p => p.Path, StringComparer.Ordinal)];
    }

    private static IEnumerable<ApiPath> OfResource(ResourceInfo r)
    {
        var root = Base(r.Group, r.Version);
        var collection = r.Namespaced ? $"{root}/namespaces/{{namespace}}/{r.Plural}" : $"{root}/{r.Plural}";
        yield return new ApiPath(collection, [.. OfCollection(r)]);
        if (r.IsVirtual)
        {
            yield break;
        }

        if (r.Namespaced)
        {
            yield return new ApiPath($"{root}/{r.Plural}", [ListOf(r, $"list{Prefix(r)}{r.Kind}ForAllNamespaces")]);
        }

        yield return new ApiPath(collection + "/{name}", [.. OfObject(r)]);
        foreach (var s in r.Subresources)
        {
            yield return new ApiPath($"{collection}/{{name}}/{s.Name}", [.. OfSubresource(r, s)]);
        }
    }

    private static IEnumerable<ApiOperation> OfCollection(ResourceInfo r)
    {
        var kind = KindNames.KindOf(r);
        if (r.Verbs.Contains("list"))
        {
            yield return ListOf(r, $"list{Scoped(r)}{r.Kind}");
        }

        if (r.Verbs.Contains("create"))
        {
            yield return new("post", $"create{Scoped(r)}{r.Kind}", "post", $"create a {r.Kind}", kind, ApiParameter.Write, r.SchemaName, r.SchemaName);
        }

        if (r.Verbs.Contains("deletecollection"))
        {
            var parameters = ApiParameter.Delete.Concat(ApiParameter.List.Where(p => p.Name is not ("watch" or "allowWatchBookmarks"))).ToList();
            yield return new("delete", $"delete{Prefix(r)}Collection{Scope(r)}{r.Kind}", "deletecollection", $"delete collection of {r.Kind}",
                kind, parameters, KindNames.DeleteOptions, KindNames.Status);
        }
    }

    private static IEnumerable<ApiOperation> OfObject(ResourceInfo r)
    {
        var kind = KindNames.KindOf(r);
        if (r.Verbs.Contains("get"))
        {
            yield return new("get", $"read{Scoped(r)}{r.Kind}", "get", $"read the specified {r.Kind}", kind, ApiParameter.None, null, r.SchemaName);
        }

        if (r.Verbs.Contains("update"))
        {
            yield return new("put", $"replace{Scoped(r)}{r.Kind}", "put", $"replace the specified {r.Kind}",
                kind, ApiParameter.Write, r.SchemaName, r.SchemaName);
        }

        if (r.Verbs.Contains("patch"))
        {
            yield return new("patch", $"patch{Scoped(r)}{r.Kind}", "patch", $"partially update the specified {r.Kind}",
                kind, ApiParameter.Patch, KindNames.Patch, r.SchemaName);
        }

        if (r.Verbs.Contains("delete"))
        {
            yield return new("delete", $"delete{Scoped(r)}{r.Kind}", "delete", $"delete a {r.Kind}",
                kind, ApiParameter.Delete, KindNames.DeleteOptions, KindNames.Status);
        }
    }

    private static IEnumerable<ApiOperation> OfSubresource(ResourceInfo r, SubresourceInfo s)
    {
        var kind = KindNames.KindOf(r, s);
        var schema = KindNames.SchemaOf(r, s);
        var name = $"{Scoped(r)}{r.Kind}{Capital(s.Name)}";
        foreach (var verb in s.Verbs)
        {
            yield return (verb, schema) switch
            {
                (_, null) => Connect(verb, name, $"{s.Name} of {r.Kind}", kind, ApiParameter.OfSubresource(s.Name)),
                ("create", _) => new("post", $"create{name}", "post", $"create {s.Name} of a {r.Kind}", kind, ApiParameter.Write, schema, schema),
                ("update", _) => new("put", $"replace{name}", "put", $"replace {s.Name} of the specified {r.Kind}", kind, ApiParameter.Write, schema, schema),
                ("patch", _) => new("patch", $"patch{name}", "patch", $"partially update {s.Name} of the specified {r.Kind}",
                    kind, ApiParameter.Patch, KindNames.Patch, schema),
                _ => new("get", $"read{name}", "get", $"read {s.Name} of the specified {r.Kind}",
                    kind, ApiParameter.OfSubresource(s.Name), null, s.Name == "log" ? null : schema),
            };
        }
    }

    private static ApiOperation Connect(string verb, string name, string what, KindName kind, IReadOnlyList<ApiParameter> parameters)
    {
        var method = verb switch { "create" => "post", "update" => "put", _ => verb };
        return new(method, $"connect{Capital(method)}{name}", "connect", $"connect {method.ToUpperInvariant()} requests to {what}", kind, parameters, null, null);
    }

    private static ApiOperation ListOf(ResourceInfo r, string id) => new(
        "get", id, "list", $"list or watch objects of kind {r.Kind}", KindNames.KindOf(r), ApiParameter.List, null, r.SchemaName + "List");

    private static string Scope(ResourceInfo r) => r.Namespaced ? "Namespaced" : "";

    private static string Scoped(ResourceInfo r) => Prefix(r) + Scope(r);

    private static string Prefix(ResourceInfo r) => Title(r.Group) + Capital(r.Version);

    // rbac.authorization.k8s.io is RbacAuthorization.
    private static string Title(string group) => group.Length == 0
        ? "Core"
        : string.Concat(group.Replace(".k8s.io", "", StringComparison.Ordinal).Split('.').Select(Capital));

    private static string Capital(string s) => s.Length == 0 ? "" : char.ToUpper(s[0], CultureInfo.InvariantCulture) + s[1..];
}

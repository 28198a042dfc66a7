using System.Text;
using Podhost.Api.Resources;

namespace Podhost.Client.Requests;

/// <summary>Paths and query strings of the Kubernetes API.</summary>
internal static class ResourcePath
{
    internal static string Of(ResourceInfo resource, string? ns, string? name = null, string? subresource = null)
    {
        var path = new StringBuilder(resource.Group.Length == 0 ? "/api/" : $"/apis/{resource.Group}/").Append(resource.Version);
        if (resource.Namespaced && !string.IsNullOrEmpty(ns))
        {
            path.Append("/namespaces/").Append(Segment(ns, nameof(ns)));
        }

        path.Append('/').Append(resource.Plural);
        if (name is not null)
        {
            path.Append('/').Append(Segment(name, nameof(name)));
        }

        if (subresource is not null)
        {
            path.Append('/').Append(Segment(subresource, nameof(subresource)));
        }

        return path.ToString();
    }

    /// <summary>The path of one object: a namespaced kind needs its namespace.</summary>
    internal static string OfObject(ResourceInfo resource, string? ns, string name, string? subresource = null) =>
        resource.Namespaced && string.IsNullOrEmpty(ns)
            ? throw new ArgumentException($"{resource.Kind} objects live in a namespace: none was given", nameof(ns))
            : Of(resource, ns, name, subresource);

    /// <summary>Adds the parameters that are not null.</summary>
    internal static string WithQuery(string path, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var query = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in parameters)
        {
            if (value is not null)
            {
                query.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                separator = '&';
            }
        }

        return query.ToString();
    }

    /// <summary>Escapes a path segment. Names that would walk the path ("..", "a/b") are no names.</summary>
    private static string Segment(string value, string parameter) =>
        value.Length == 0 || value is "." or ".." || value.Contains('/') || value.Contains('%')
            ? throw new ArgumentException($"\"{value}\" is no valid path segment", parameter)
            : Uri.EscapeDataString(value);
}

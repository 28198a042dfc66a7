using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Routes;

/// <summary>Reads a <see cref="RequestInfo"/> from a method, a path and the query's watch and fieldSelector.</summary>
/// <remarks>Rules: k8s.io/apiserver pkg/endpoints/request/requestinfo.go, the comments at NewRequestInfo.</remarks>
internal static class RequestInfoParser
{
    /// <param name="method">HTTP method.</param>
    /// <param name="path">Path, not yet unescaped further than Kestrel does it.</param>
    /// <param name="watch">True where the query has watch=true or watch=1.</param>
    /// <param name="fieldSelector">The query's fieldSelector, or null.</param>
    public static RequestInfo Parse(string method, string path, bool watch, string? fieldSelector)
    {
        var plain = new RequestInfo { Path = path, Verb = method.ToLowerInvariant() };
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 3 || parts[0] is not ("api" or "apis"))
        {
            return plain;
        }

        var core = parts[0] == "api";
        if (!core && parts.Length < 4)
        {
            return plain;
        }

        var group = core ? "" : parts[1];
        var version = core ? parts[1] : parts[2];
        var rest = parts.AsSpan(core ? 2 : 3);
        var verb = VerbOf(method);

        // The deprecated /watch/ prefix of old clients.
        if (rest[0] == "watch" && rest.Length > 1)
        {
            verb = "watch";
            rest = rest[1..];
        }

        var info = Locate(plain with { IsResource = true, Group = group, Version = version, Verb = verb }, rest);
        return WithCollectionVerb(info, watch, fieldSelector);
    }

    private static RequestInfo Locate(RequestInfo info, ReadOnlySpan<string> rest)
    {
        if (rest[0] == "namespaces" && rest.Length > 1)
        {
            info = info with { Namespace = rest[1] };

            // /namespaces/NS/RESOURCE… is a resource in the namespace; /namespaces/NS/status and /finalize belong to the Namespace itself.
            if (rest.Length > 2 && rest[2] is not ("status" or "finalize"))
            {
                rest = rest[2..];
            }
        }

        return info with
        {
            Resource = rest[0],
            Name = rest.Length > 1 ? rest[1] : "",
            Subresource = rest.Length > 2 ? rest[2] : "",
            SubPath = rest.Length > 3 ? string.Join('/', rest[3..].ToArray()) : "",
        };
    }

    private static RequestInfo WithCollectionVerb(RequestInfo info, bool watch, string? fieldSelector)
    {
        if (info.Name.Length == 0 && info.Verb == "get")
        {
            info = info with { Verb = watch ? "watch" : "list" };
        }
        else if (info.Name.Length == 0 && info.Verb == "delete")
        {
            info = info with { Verb = "deletecollection" };
        }

        // A list or watch of one name is authorized as one of that name.
        return info is { Name.Length: 0, Verb: "list" or "watch" or "deletecollection" } && NameIn(fieldSelector) is { } name
            ? info with { SelectedName = name }
            : info;
    }

    private static string? NameIn(string? fieldSelector)
    {
        const string term = "metadata.name=";
        if (fieldSelector is null || !fieldSelector.StartsWith(term, StringComparison.Ordinal) || fieldSelector.Contains(',', StringComparison.Ordinal))
        {
            return null;
        }

        var name = fieldSelector[term.Length..].TrimStart('=');
        return ObjectNames.IsPathSegment(name) ? name : null;
    }

    private static string VerbOf(string method) => method switch
    {
        "POST" => "create",
        "GET" or "HEAD" => "get",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    };
}

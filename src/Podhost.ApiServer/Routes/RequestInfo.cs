namespace Podhost.ApiServer.Routes;

/// <summary>What a request is about, read from its method and path alone, as upstream's RequestInfo.</summary>
internal sealed record RequestInfo
{
    /// <summary>The path as it was sent.</summary>
    public required string Path { get; init; }

    /// <summary>get, list, watch, create, update, patch, delete, deletecollection; the lower-case method where it is no resource.</summary>
    public required string Verb { get; init; }

    /// <summary>True below /api/VERSION or /apis/GROUP/VERSION where a resource is named.</summary>
    public bool IsResource { get; init; }

    /// <summary>API group, empty for the core group.</summary>
    public string Group { get; init; } = "";

    /// <summary>API version.</summary>
    public string Version { get; init; } = "";

    /// <summary>Namespace; for the resource namespaces the object's own name.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Plural resource name.</summary>
    public string Resource { get; init; } = "";

    /// <summary>Subresource, empty where none.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Object name, empty for collections.</summary>
    public string Name { get; init; } = "";

    /// <summary>For a collection request whose field selector names one object, that name: what authorization looks at.</summary>
    public string SelectedName { get; init; } = "";

    /// <summary>What follows the subresource in the path.</summary>
    public string SubPath { get; init; } = "";

    /// <summary>True for get, list, watch and plain GETs.</summary>
    public bool IsReadOnly => Verb is "get" or "list" or "watch" or "head" or "options";
}

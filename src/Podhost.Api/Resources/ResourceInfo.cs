using Podhost.Api.CustomResources;
using Podhost.Api.Schema;

namespace Podhost.Api.Resources;

/// <summary>One entry of the resource table: everything the server, the clients and discovery know of a kind.</summary>
/// <remarks>Routing, discovery, OpenAPI, tables, validation and RBAC are driven from here: adding a resource is adding an entry.</remarks>
public sealed record ResourceInfo
{
    /// <summary>API group; empty for the core group.</summary>
    public required string Group { get; init; }

    /// <summary>API version, for example <c>v1</c>.</summary>
    public required string Version { get; init; }

    /// <summary>Kind, for example <c>Pod</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Plural lower-case name used in paths, for example <c>pods</c>.</summary>
    public required string Plural { get; init; }

    /// <summary>Singular lower-case name, for example <c>pod</c>.</summary>
    public required string Singular { get; init; }

    /// <summary>True where objects live in a namespace.</summary>
    public required bool Namespaced { get; init; }

    /// <summary>Short names that kubectl accepts, for example <c>po</c>.</summary>
    public IReadOnlyList<string> ShortNames { get; init; } = [];

    /// <summary>Categories, for example <c>all</c>.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Verbs that the resource serves, in discovery's terms.</summary>
    public IReadOnlyList<string> Verbs { get; init; } = StandardVerbs;

    /// <summary>The verbs that discovery shows: of a custom kind whose definition is going, only those that help it to go.</summary>
    public IReadOnlyList<string> DiscoveredVerbs => Custom is { IsTerminating: true } ? LastVerbs : Verbs;

    /// <summary>Subresources, for example <c>status</c>.</summary>
    public IReadOnlyList<SubresourceInfo> Subresources { get; init; } = [];

    /// <summary>The model type of KubernetesClient that carries the kind, for typed access.</summary>
    public required Type ModelType { get; init; }

    /// <summary>
    /// Where several versions or groups serve one stored kind (events, custom kinds), the entry under which it is stored; null where it is
    /// this entry itself.
    /// </summary>
    public ResourceInfo? StoredAs { get; init; }

    /// <summary>What a CustomResourceDefinition says of the kind; null for built-in ones.</summary>
    public CustomKind? Custom { get; init; }

    /// <summary>True where names are restricted to DNS labels (namespaces, services) rather than DNS subdomains.</summary>
    public bool NameIsDnsLabel { get; init; }

    /// <summary>True where create does not persist anything (reviews); only the create verb is served.</summary>
    public bool IsVirtual { get; init; }

    /// <summary>True where a change of spec raises metadata.generation.</summary>
    public bool HasGeneration { get; init; }

    /// <summary>Schema name, for example <c>io.k8s.api.core.v1.Pod</c>.</summary>
    public required string SchemaName { get; init; }

    /// <summary><c>group/version</c>, or just the version for the core group.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Kind of the list, for example <c>PodList</c>.</summary>
    public string ListKind => Custom is { ListKind.Length: > 0 } ? Custom.ListKind : Kind + "List";

    /// <summary>The fields of the kind.</summary>
    /// <exception cref="ArgumentException">The catalog does not hold them: a fault of the generated data.</exception>
    public SchemaType Schema => Custom?.Ownership ?? SchemaCatalog.Get(SchemaName);

    /// <summary>Qualified resource as messages print it: <c>pods</c> or <c>deployments.apps</c>.</summary>
    public string QualifiedName => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>True where the kind has a status subresource.</summary>
    public bool HasStatus => Subresources.Any(s => s.Name == "status");

    private static readonly string[] LastVerbs = ["delete", "deletecollection", "get", "list", "watch"];

    /// <summary>The verbs of an ordinary stored resource.</summary>
    public static IReadOnlyList<string> StandardVerbs { get; } =
        ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
}

/// <summary>A subresource as discovery shows it.</summary>
/// <param name="Name">Name below the parent, for example <c>status</c> or <c>exec</c>.</param>
/// <param name="Kind">Kind that it carries.</param>
/// <param name="Verbs">Verbs that it serves.</param>
/// <param name="Group">Group of <paramref name="Kind"/> where it differs from the parent's.</param>
/// <param name="Version">Version of <paramref name="Kind"/> where it differs from the parent's.</param>
public sealed record SubresourceInfo(string Name, string Kind, IReadOnlyList<string> Verbs, string? Group = null, string? Version = null);

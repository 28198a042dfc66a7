using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.CustomResources;

/// <summary>What a CustomResourceDefinition says of one version of its kind, besides what the resource table tells of every kind.</summary>
public sealed class CustomKind
{
    private readonly Lazy<SchemaType> ownership;

    internal CustomKind(string schemaName, SchemaNode? schema)
    {
        Schema = schema;
        ownership = new Lazy<SchemaType>(() => OwnershipSchema.Of(schemaName, schema));
    }

    /// <summary>metadata.name of the definition.</summary>
    public required string Definition { get; init; }

    /// <summary>metadata.uid of the definition.</summary>
    public required string DefinitionUid { get; init; }

    /// <summary>apiVersion under which objects are stored.</summary>
    public required string StoredApiVersion { get; init; }

    /// <summary>The schema, or null where there is none.</summary>
    public SchemaNode? Schema { get; }

    /// <summary>The schema in the terms of the catalog, for server-side apply.</summary>
    public SchemaType Ownership => ownership.Value;

    /// <summary>Kind of the list, where the definition names one.</summary>
    public string ListKind { get; init; } = "";

    /// <summary>Columns of tables, after the name.</summary>
    public IReadOnlyList<PrinterColumn> Columns { get; init; } = [];

    /// <summary>Where the scale subresource finds its values; null without one.</summary>
    public ScalePaths? Scale { get; init; }

    /// <summary>Fields that field selectors may name besides name and namespace.</summary>
    public IReadOnlyList<SimplePath> SelectableFields { get; init; } = [];

    /// <summary>Warning for clients of a deprecated version, or null.</summary>
    public string? DeprecationWarning { get; init; }

    /// <summary>spec.conversion.webhook, where a webhook converts between versions; null where versions differ in apiVersion only. Not to be changed.</summary>
    public JsonObject? ConversionWebhook { get; init; }

    /// <summary>True while the definition is being deleted: nothing new is made then.</summary>
    public bool IsTerminating { get; init; }
}

/// <summary>One of additionalPrinterColumns.</summary>
/// <param name="Name">Title.</param>
/// <param name="Type">string, integer, number, boolean or date.</param>
/// <param name="Format">Format, or empty.</param>
/// <param name="Description">What it shows.</param>
/// <param name="Priority">0: always shown; else only in wide output.</param>
/// <param name="Path">Where the value is; null finds nothing.</param>
public sealed record PrinterColumn(string Name, string Type, string Format, string Description, int Priority, JsonPathQuery? Path);

/// <summary>Where the scale subresource of a custom kind finds its values.</summary>
/// <param name="SpecReplicas">The wanted count.</param>
/// <param name="StatusReplicas">The present count.</param>
/// <param name="LabelSelector">The selector as a string; null without one.</param>
public sealed record ScalePaths(SimplePath SpecReplicas, SimplePath StatusReplicas, SimplePath? LabelSelector);

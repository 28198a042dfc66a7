using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.Api.CustomResources;

/// <summary>The resources that a CustomResourceDefinition makes. Pure.</summary>
public static class CustomKinds
{
    private static readonly string[] Write = ["get", "patch", "update"];
    private static readonly string[] Verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    private static readonly PrinterColumn[] OnlyAge =
    [
        new("Age", "date", "", "CreationTimestamp is a timestamp representing the server time when this object was created.", 0,
            JsonPathQuery.Parse(".metadata.creationTimestamp")),
    ];

    /// <summary>
    /// The resource that names the kind's place in the store. It is served by nobody; all versions are views of it.
    /// </summary>
    /// <param name="definition">The definition, valid.</param>
    public static ResourceInfo Stored(JsonObject definition)
    {
        var spec = Child(definition, "spec");
        var version = Versions(spec).FirstOrDefault(v => SchemaNode.Flag(v, "storage")) ?? [];
        return Make(definition, version, null);
    }

    /// <summary>The versions that are served, preferred ones first; none before the definition is established.</summary>
    /// <param name="definition">The definition, valid.</param>
    /// <param name="stored">What <see cref="Stored"/> made of the definition when it was new.</param>
    public static IReadOnlyList<ResourceInfo> Served(JsonObject definition, ResourceInfo stored) =>
        !IsTrue(definition, "Established") || !IsTrue(definition, "NamesAccepted") ? []
        : [.. Versions(Child(definition, "spec"))
            .Where(v => SchemaNode.Flag(v, "served"))
            .OrderBy(v => SchemaNode.Text(v, "name"), VersionOrder.Instance)
            .Select(v => Make(definition, v, stored))];

    /// <summary>True where a condition of a definition is True.</summary>
    public static bool IsTrue(JsonObject definition, string condition) =>
        Child(definition, "status")["conditions"] is JsonArray list
        && list.OfType<JsonObject>().Any(c => SchemaNode.Text(c, "type") == condition && SchemaNode.Text(c, "status") == "True");

    /// <summary>The versions of a definition's spec.</summary>
    internal static IEnumerable<JsonObject> Versions(JsonObject spec) => (spec["versions"] as JsonArray ?? []).OfType<JsonObject>();

    private static ResourceInfo Make(JsonObject definition, JsonObject version, ResourceInfo? stored)
    {
        var spec = Child(definition, "spec");
        var names = Child(Child(definition, "status"), "acceptedNames") is { Count: > 0 } accepted && SchemaNode.Text(accepted, "plural").Length > 0
            ? accepted : Child(spec, "names");
        var (group, name, kind) = (SchemaNode.Text(spec, "group"), SchemaNode.Text(version, "name"), SchemaNode.Text(names, "kind"));
        var schemaName = SchemaNameOf(group, name, kind);
        var custom = Custom(definition, spec, version, names, schemaName);
        return new ResourceInfo
        {
            Group = group,
            Version = name,
            Kind = kind,
            Plural = SchemaNode.Text(names, "plural"),
            Singular = SchemaNode.Text(names, "singular"),
            ShortNames = SchemaNode.Strings(names, "shortNames"),
            Categories = SchemaNode.Strings(names, "categories"),
            Namespaced = SchemaNode.Text(spec, "scope") == "Namespaced",
            Verbs = Verbs,
            Subresources = Subresources(version, kind),
            ModelType = typeof(JsonObject),
            SchemaName = schemaName,
            HasGeneration = true,
            StoredAs = stored,
            Custom = custom,
        };
    }

    private static CustomKind Custom(JsonObject definition, JsonObject spec, JsonObject version, JsonObject names, string schemaName)
    {
        var storage = Versions(spec).FirstOrDefault(v => SchemaNode.Flag(v, "storage")) ?? [];
        var schema = Child(version, "schema")["openAPIV3Schema"]?.DeepClone() as JsonObject;
        return new CustomKind(schemaName, schema is null ? null : SchemaNode.Read(schema))
        {
            Definition = SchemaNode.Text(Child(definition, "metadata"), "name"),
            DefinitionUid = SchemaNode.Text(Child(definition, "metadata"), "uid"),
            StoredApiVersion = $"{SchemaNode.Text(spec, "group")}/{SchemaNode.Text(storage, "name")}",
            ListKind = SchemaNode.Text(names, "listKind"),
            Columns = Columns(version),
            Scale = Scale(version),
            SelectableFields =
            [
                .. (version["selectableFields"] as JsonArray ?? []).OfType<JsonObject>().Select(f => SimplePath.Parse(SchemaNode.Text(f, "jsonPath"))),
            ],
            ConversionWebhook = SchemaNode.Text(Child(spec, "conversion"), "strategy") == "Webhook" ? Child(spec, "conversion")["webhook"] as JsonObject : null,
            DeprecationWarning = Deprecation(spec, version, names),
            IsTerminating = Child(definition, "metadata")["deletionTimestamp"] is not null,
        };
    }

    private static List<SubresourceInfo> Subresources(JsonObject version, string kind)
    {
        var result = new List<SubresourceInfo>();
        if (Child(version, "subresources")["status"] is not null)
        {
            result.Add(new SubresourceInfo("status", kind, Write));
        }

        if (Child(version, "subresources")["scale"] is not null)
        {
            result.Add(new SubresourceInfo("scale", "Scale", Write, "autoscaling", "v1"));
        }

        return result;
    }

    private static IReadOnlyList<PrinterColumn> Columns(JsonObject version) =>
        version["additionalPrinterColumns"] is JsonArray { Count: > 0 } columns
            ? [.. columns.OfType<JsonObject>().Select(c => new PrinterColumn(
                SchemaNode.Text(c, "name"),
                SchemaNode.Text(c, "type"),
                SchemaNode.Text(c, "format"),
                SchemaNode.Text(c, "description") is { Length: > 0 } text ? text
                    : $"Custom resource definition column (in JSONPath format): {SchemaNode.Text(c, "jsonPath")}",
                c["priority"] is JsonValue p && p.TryGetValue(out long n) ? (int)n : 0,
                Path(SchemaNode.Text(c, "jsonPath"))))]
            : OnlyAge;

    private static JsonPathQuery? Path(string text)
    {
        try
        {
            return JsonPathQuery.Parse(text);
        }
        catch (FormatException)
        {
            // Validation refuses such a path; one that was stored in spite of that shows nothing.
            return null;
        }
    }

    private static ScalePaths? Scale(JsonObject version) => Child(version, "subresources")["scale"] is JsonObject scale
        ? new ScalePaths(
            SimplePath.Parse(SchemaNode.Text(scale, "specReplicasPath")),
            SimplePath.Parse(SchemaNode.Text(scale, "statusReplicasPath")),
            SchemaNode.Text(scale, "labelSelectorPath") is { Length: > 0 } selector ? SimplePath.Parse(selector) : null)
        : null;

    // Without words of its own the warning names the newest version of at least the same stability.
    private static string? Deprecation(JsonObject spec, JsonObject version, JsonObject names)
    {
        if (!SchemaNode.Flag(version, "deprecated"))
        {
            return null;
        }

        if (SchemaNode.Text(version, "deprecationWarning") is { Length: > 0 } own)
        {
            return own;
        }

        var (group, kind, name) = (SchemaNode.Text(spec, "group"), SchemaNode.Text(names, "kind"), SchemaNode.Text(version, "name"));
        var better = Versions(spec)
            .Where(v => SchemaNode.Flag(v, "served") && !SchemaNode.Flag(v, "deprecated"))
            .Select(v => SchemaNode.Text(v, "name"))
            .Where(v => VersionOrder.Instance.Compare(v, name) < 0 && VersionOrder.Stability(v) >= VersionOrder.Stability(name))
            .Order(VersionOrder.Instance).FirstOrDefault();
        return $"{group}/{name} {kind} is deprecated" + (better is null ? "" : $"; use {group}/{better} {kind}");
    }

    // mygroup.example.com/v1 Foo is com.example.mygroup.v1.Foo.
    private static string SchemaNameOf(string group, string version, string kind) =>
        $"{string.Join('.', group.Split('.').Reverse())}.{version}.{kind}";

    private static JsonObject Child(JsonObject obj, string name) => obj[name] as JsonObject ?? [];
}

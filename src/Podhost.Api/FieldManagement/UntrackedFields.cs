using Podhost.Api.Resources;

namespace Podhost.Api.FieldManagement;

/// <summary>Paths that no manager owns: those that the server fills in, and those that a write through this endpoint cannot change.</summary>
internal static class UntrackedFields
{
    private static readonly string[] ServerMetadata =
        ["name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion"];

    private static readonly FieldSet Meta = ServerMetadata
        .Select(n => FieldSet.OfPath("f:metadata", PathStep.Field(n)))
        .Concat([FieldSet.OfPath("f:apiVersion"), FieldSet.OfPath("f:kind"), FieldSet.OfPath("f:metadata")])
        .Aggregate((a, b) => a.Union(b));

    private static readonly FieldSet Status = FieldSet.OfPath("f:status");

    private static readonly FieldSet AllButStatus = FieldSet.OfPath("f:spec")
        .Union(FieldSet.OfPath("f:metadata", "f:deletionTimestamp"))
        .Union(FieldSet.OfPath("f:metadata", "f:ownerReferences"));

    /// <summary>Taken out of every set, path by path (upstream's stripMeta).</summary>
    public static FieldSet ServerSet => Meta;

    /// <summary>Taken out with all that is below (upstream's reset fields of the strategies).</summary>
    public static FieldSet ResetBy(ResourceInfo resource, string? subresource) => subresource switch
    {
        "status" => AllButStatus,
        _ when resource.HasStatus => Status,
        _ => FieldSet.Empty,
    };
}

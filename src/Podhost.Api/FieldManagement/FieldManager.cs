using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.Api.FieldManagement;

/// <summary>Server-side apply and the tracking of who owns which field (metadata.managedFields).</summary>
public static class FieldManager
{
    /// <summary>Applies a configuration. Returns the new object with its managedFields; the arguments stay as they are.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="live">The stored object with its managedFields, or null where it is created.</param>
    /// <param name="applied">The configuration that the manager wants.</param>
    /// <param name="manager">Name of the field manager.</param>
    /// <param name="force">True to take fields from other managers.</param>
    /// <param name="now">Time of the entry.</param>
    /// <param name="subresource">The subresource that is written, or null.</param>
    /// <exception cref="Errors.ApiException">409 with a cause FieldManagerConflict a field; 400 where managedFields are sent.</exception>
    public static JsonObject Apply(
        ResourceInfo resource, JsonObject? live, JsonObject applied, string manager, bool force, DateTimeOffset now, string? subresource = null) =>
        throw new NotImplementedException();

    /// <summary>Records a create, update or patch. Returns the updated object with its managedFields; the arguments stay as they are.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="live">The stored object with its managedFields, or null where it is created.</param>
    /// <param name="updated">The object as it will be stored.</param>
    /// <param name="manager">Name of the field manager.</param>
    /// <param name="subresource">The subresource that is written, or null.</param>
    /// <param name="now">Time of the entry.</param>
    public static JsonObject Update(
        ResourceInfo resource, JsonObject? live, JsonObject updated, string manager, string? subresource, DateTimeOffset now) =>
        throw new NotImplementedException();
}

using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry;

/// <summary>Events are stored once, as core/v1; events.k8s.io shows the same objects under other field names.</summary>
/// <remarks>Upstream: pkg/apis/events/v1/conversion.go.</remarks>
internal static class EventViews
{
    private static readonly (string Core, string Events)[] Names =
    [
        ("involvedObject", "regarding"),
        ("message", "note"),
        ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"),
        ("reportingComponent", "reportingController"),
    ];

    /// <summary>The object as the resource shows it; itself where it is no view.</summary>
    public static JsonObject ToExternal(ResourceInfo resource, JsonObject stored)
    {
        if (resource.StoredAs is null)
        {
            return stored;
        }

        Rename(stored, Names.Select(n => (n.Core, n.Events)));
        stored["apiVersion"] = resource.ApiVersion;
        return stored;
    }

    /// <summary>The object as it is stored; itself where the resource is no view.</summary>
    public static JsonObject ToStored(ResourceInfo resource, JsonObject external)
    {
        if (resource.StoredAs is not { } stored)
        {
            return external;
        }

        var copy = (JsonObject)external.DeepClone();
        Rename(copy, Names.Select(n => (n.Events, n.Core)));
        copy["apiVersion"] = stored.ApiVersion;
        return copy;
    }

    /// <summary>The stored name of a field that a selector names.</summary>
    public static string StoredField(ResourceInfo resource, string field)
    {
        if (resource.StoredAs is null)
        {
            return field;
        }

        foreach (var (core, view) in Names)
        {
            if (field == view || field.StartsWith(view + ".", StringComparison.Ordinal))
            {
                return core + field[view.Length..];
            }
        }

        return field;
    }

    private static void Rename(JsonObject obj, IEnumerable<(string From, string To)> names)
    {
        foreach (var (from, to) in names)
        {
            if (obj[from] is { } value)
            {
                obj.Remove(from);
                obj[to] = value;
            }
        }
    }
}

using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.Api.Defaulting;

/// <summary>Defaulting of whole objects, as upstream's scheme does it after decoding.</summary>
public static class ObjectDefaulter
{
    /// <summary>Sets every unset field of <paramref name="obj"/> that has a default. In place, idempotent.</summary>
    public static void Apply(ResourceInfo resource, JsonObject obj)
    {
    }
}

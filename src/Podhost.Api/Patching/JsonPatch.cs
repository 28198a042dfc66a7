using System.Text.Json.Nodes;

namespace Podhost.Api.Patching;

/// <summary>RFC 6902.</summary>
public static class JsonPatch
{
    /// <summary>The most operations of one patch, as upstream bounds them.</summary>
    public const int MaxOperations = 10_000;

    /// <summary>Applies all operations in order and returns a new document; the arguments stay as they are.</summary>
    /// <exception cref="Errors.ApiException">400: malformed patch; 413: too many operations; 422: an operation does not apply.</exception>
    public static JsonNode? Apply(JsonNode original, JsonArray patch) => throw new NotImplementedException();
}

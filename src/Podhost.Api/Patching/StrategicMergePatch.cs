using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.Patching;

/// <summary>Kubernetes' strategic merge patch, driven by the schema's merge keys and strategies.</summary>
public static class StrategicMergePatch
{
    /// <summary>Returns the patched object as a new one; the arguments stay as they are.</summary>
    /// <exception cref="Errors.ApiException">400 or 422 as upstream answers a patch that does not fit.</exception>
    public static JsonObject Apply(SchemaType type, JsonObject original, JsonObject patch) => throw new NotImplementedException();
}

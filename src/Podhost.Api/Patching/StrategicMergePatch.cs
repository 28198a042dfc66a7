using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.Patching;

/// <summary>Kubernetes' strategic merge patch, driven by the schema's merge keys and strategies.</summary>
/// <remarks>
/// The rules are those of k8s.io/apimachinery/pkg/util/strategicpatch. One answer differs: faults of the patch that upstream
/// returns as a bare 500 (a missing merge key, an unknown directive) are a 400 here, with upstream's text.
/// </remarks>
public static class StrategicMergePatch
{
    /// <summary>Returns the patched object as a new one; the arguments stay as they are.</summary>
    /// <exception cref="Errors.ApiException">400 or 422 as upstream answers a patch that does not fit.</exception>
    public static JsonObject Apply(SchemaType type, JsonObject original, JsonObject patch) =>
        StrategicObjectMerge.Merge(SchemaScope.Of(type), (JsonObject)original.DeepClone(), (JsonObject)patch.DeepClone());
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Podhost.Api.Objects;

/// <summary>The serializer options of the models: KubernetesClient's own converters and source-generated metadata.</summary>
public static partial class ModelJson
{
    /// <summary>Options that serialize any model without reflection; nulls are left out.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    private static JsonSerializerOptions Create()
    {
        JsonSerializerOptions? models = null;
        k8s.KubernetesJson.AddJsonOptions(o => models = o);
        return new JsonSerializerOptions(models!)
        {
            TypeInfoResolver = JsonTypeInfoResolver.Combine(models!.TypeInfoResolver, FreeForm.Default),
        };
    }

    // Fields without a schema (managedFields' fieldsV1, extensions) are objects that hold JSON as it was read.
    [JsonSerializable(typeof(JsonElement))]
    [JsonSerializable(typeof(JsonNode))]
    [JsonSerializable(typeof(JsonObject))]
    private sealed partial class FreeForm : JsonSerializerContext;
}

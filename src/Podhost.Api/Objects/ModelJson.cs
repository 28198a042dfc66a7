using System.Text.Json;

namespace Podhost.Api.Objects;

/// <summary>The serializer options of the models: KubernetesClient's own converters and source-generated metadata.</summary>
public static class ModelJson
{
    /// <summary>Options that serialize any model without reflection; nulls are left out.</summary>
    public static JsonSerializerOptions Options { get; } = Capture();

    private static JsonSerializerOptions Capture()
    {
        JsonSerializerOptions? captured = null;
        k8s.KubernetesJson.AddJsonOptions(o => captured = o);
        return captured!;
    }
}

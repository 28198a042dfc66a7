using System.Text.Json.Serialization;

namespace Podhost.Images;

/// <summary>Source-generated JSON of the control socket.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageEvent))]
[JsonSerializable(typeof(List<ImageLine>))]
internal sealed partial class ImageJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Podhost.Runtime.Snapshots;

/// <summary>What has to be known to mount a root file system again after a reboot, and to keep its layers.</summary>
internal sealed record RootfsRecord(string ImageId, IReadOnlyList<string> ChainIds, bool ReadOnly)
{
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, RootfsRecordJson.Default.RootfsRecord);

    /// <summary>Null where the directory has none, because its creation was interrupted.</summary>
    public static RootfsRecord? Read(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), RootfsRecordJson.Default.RootfsRecord) : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RootfsRecord))]
internal sealed partial class RootfsRecordJson : JsonSerializerContext;

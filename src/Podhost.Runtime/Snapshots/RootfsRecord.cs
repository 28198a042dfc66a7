using System.Text.Json;
using System.Text.Json.Serialization;

namespace Podhost.Runtime.Snapshots;

/// <summary>What has to be known to mount a root file system again after a reboot, and to keep its layers.</summary>
internal sealed record RootfsRecord(string ImageId, IReadOnlyList<string> ChainIds, bool ReadOnly)
{
    /// <summary>
    /// Null where there is none because the creation was interrupted, or a damaged one because the machine crashed: records are not
    /// synced, as containers end with the machine and every start of one would wait for the disk.
    /// </summary>
    public static RootfsRecord? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), RootfsRecordJson.Default.RootfsRecord);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Makes the record visible as a whole.</summary>
    public async Task WriteAsync(string path, CancellationToken cancellationToken)
    {
        await File.WriteAllBytesAsync(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this, RootfsRecordJson.Default.RootfsRecord), cancellationToken);
        File.Move(path + ".new", path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RootfsRecord))]
internal sealed partial class RootfsRecordJson : JsonSerializerContext;

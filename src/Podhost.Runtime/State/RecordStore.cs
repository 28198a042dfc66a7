using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Podhost.Runtime.State;

[JsonSourceGenerationOptions(UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(SandboxRecord))]
[JsonSerializable(typeof(ContainerRecord))]
internal sealed partial class RecordJson : JsonSerializerContext;

/// <summary>
/// Records of one kind, a file each, replaced whole: a reader sees the old or the new one. Written through to the disk only where asked:
/// after a power loss no process lives, so that only an exit code is worth the wait.
/// </summary>
internal sealed class RecordStore<T>(string directory, JsonTypeInfo<T> type)
{
    private const string Suffix = ".json";
    private const string Unfinished = ".new";

    /// <summary>All records; files that cannot be read are given by their id, to be cleaned.</summary>
    internal (IReadOnlyList<T> Records, IReadOnlyList<string> Broken) Load()
    {
        var (records, broken) = (new List<T>(), new List<string>());
        foreach (var file in Directory.EnumerateFiles(directory).ToList())
        {
            if (file.EndsWith(Unfinished, StringComparison.Ordinal))
            {
                File.Delete(file);
                continue;
            }

            try
            {
                records.Add(JsonSerializer.Deserialize(File.ReadAllBytes(file), type) ?? throw new JsonException("null"));
            }
            catch (JsonException)
            {
                broken.Add(Path.GetFileNameWithoutExtension(file));
            }
        }

        return (records, broken);
    }

    /// <summary>One record; null where it cannot be read, as after a power loss.</summary>
    internal T? Read(string id)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(directory, id + Suffix)), type);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    internal void Save(string id, T record, bool durable = false)
    {
        var path = Path.Combine(directory, id + Suffix);
        using (var stream = new FileStream(path + Unfinished, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            stream.Write(JsonSerializer.SerializeToUtf8Bytes(record, type));
            stream.Flush(flushToDisk: durable);
        }

        File.Move(path + Unfinished, path, overwrite: true);
    }

    internal void Delete(string id) => File.Delete(Path.Combine(directory, id + Suffix));
}

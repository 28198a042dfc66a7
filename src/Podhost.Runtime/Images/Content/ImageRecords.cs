using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Podhost.Linux.Files;

namespace Podhost.Runtime.Images.Content;

/// <summary>
/// The images of the node by id, in one file that is replaced as a whole: a tag that moves from one image to another is never seen
/// on both or on none.
/// </summary>
internal sealed class ImageRecords
{
    private readonly string _path;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private volatile ImmutableSortedDictionary<string, LocalImage> _images;

    private ImageRecords(string path, ImmutableSortedDictionary<string, LocalImage> images)
    {
        _path = path;
        _images = images;
    }

    public ImmutableSortedDictionary<string, LocalImage> Snapshot => _images;

    /// <exception cref="InvalidDataException">The file is damaged: somebody has to decide, as its loss would delete all layers.</exception>
    public static async Task<ImageRecords> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var images = ImmutableSortedDictionary<string, LocalImage>.Empty;
        if (File.Exists(path))
        {
            await using var file = File.OpenRead(path);
            try
            {
                var stored = await JsonSerializer.DeserializeAsync(file, ImageRecordsJson.Default.LocalImageArray, cancellationToken);
                images = images.AddRange((stored ?? []).Select(image => KeyValuePair.Create(image.Id, image)));
            }
            catch (JsonException e)
            {
                throw new InvalidDataException($"{path} is damaged: {e.Message}", e);
            }
        }

        return new ImageRecords(path, images);
    }

    /// <summary>Adds an image, or names to a known one; a tag leaves the image that had it.</summary>
    public Task<LocalImage> PutAsync(LocalImage image, CancellationToken cancellationToken) =>
        UpdateAsync(images => ImageNames.Put(images, image), image.Id, cancellationToken);

    /// <summary>Removes an image with all its names.</summary>
    public Task RemoveAsync(string id, CancellationToken cancellationToken) =>
        UpdateAsync(images => images.Remove(id), null, cancellationToken);

    private async Task<LocalImage> UpdateAsync(
        Func<ImmutableSortedDictionary<string, LocalImage>, ImmutableSortedDictionary<string, LocalImage>> change,
        string? result,
        CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var changed = change(_images);
            if (!ReferenceEquals(changed, _images))
            {
                var bytes = JsonSerializer.SerializeToUtf8Bytes([.. changed.Values], ImageRecordsJson.Default.LocalImageArray);
                await DurableFile.WriteAsync(_path, bytes, cancellationToken);
                _images = changed;
            }

            return result is null ? null! : changed[result];
        }
        finally
        {
            _writing.Release();
        }
    }
}

/// <summary>Serialization of the records without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LocalImage[]))]
internal sealed partial class ImageRecordsJson : JsonSerializerContext;

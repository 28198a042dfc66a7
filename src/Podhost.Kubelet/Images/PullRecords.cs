using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Podhost.Kubelet.Images;

/// <summary>
/// What this kubelet pulled, on the disk, as upstream's image pull manager keeps it: <c>pulling/</c> has a file for each pull that was begun,
/// <c>pulled/</c> one for each image. An image without either was there before (loaded, or pulled by somebody else).
/// </summary>
/// <param name="directory">Its directory; made when the first image is pulled.</param>
/// <param name="time">Clock of the records.</param>
internal sealed class PullRecords(string directory, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> pulling = new(StringComparer.Ordinal);

    private string Pulling => Path.Combine(directory, "pulling");

    private string Pulled => Path.Combine(directory, "pulled");

    /// <summary>A pull begins: until it is known how it ended, the image is not one that was there before.</summary>
    /// <exception cref="IOException">The disk refuses: the pull must not begin.</exception>
    public void Begin(string image)
    {
        lock (gate)
        {
            pulling[image] = pulling.GetValueOrDefault(image) + 1;
            Directory.CreateDirectory(Pulling, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Write(PathOf(Pulling, image), image);
        }
    }

    /// <summary>A pull failed or was given up.</summary>
    public void Failed(string image)
    {
        lock (gate)
        {
            End(image);
        }
    }

    /// <summary>A pull succeeded.</summary>
    /// <param name="image">The image as the pod names it.</param>
    /// <param name="imageRef">The runtime's ID of it.</param>
    /// <param name="secret">With which Secret; null where no credential was shown.</param>
    public void Succeeded(string image, string imageRef, PullSecret? secret)
    {
        lock (gate)
        {
            Record(image, imageRef, secret);
            End(image);
        }
    }

    /// <summary>Notes one more Secret that opens an image.</summary>
    public void Record(string image, string imageRef, PullSecret? secret)
    {
        lock (gate)
        {
            var path = PathOf(Pulled, imageRef);
            var known = Read(path, imageRef) ?? new PulledRecord(imageRef, default, ImmutableDictionary<string, PulledWith>.Empty);
            var repository = ImageNameParts.Repository(image);
            var with = (known.ByRepository.GetValueOrDefault(repository) ?? PulledWith.Nothing).Add(secret);
            var next = known with { UpdatedAt = time.GetUtcNow(), ByRepository = known.ByRepository.SetItem(repository, with) };
            Directory.CreateDirectory(Pulled, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Write(path, next.ToJson());
        }
    }

    /// <summary>What is known of an image that is here; null where this kubelet never began to pull it.</summary>
    public PulledRecord? Find(string image, string imageRef)
    {
        lock (gate)
        {
            return Read(PathOf(Pulled, imageRef), imageRef)
                ?? (File.Exists(PathOf(Pulling, image)) ? new PulledRecord(imageRef, default, ImmutableDictionary<string, PulledWith>.Empty) : null);
        }
    }

    /// <summary>Forgets images that are not on the node any more.</summary>
    /// <param name="present">IDs of those that are.</param>
    /// <param name="before">When they were listed: what was pulled since is kept.</param>
    public void Prune(IEnumerable<string> present, DateTimeOffset before)
    {
        var kept = present.Select(r => PathOf(Pulled, r)).ToHashSet(StringComparer.Ordinal);
        lock (gate)
        {
            foreach (var path in Directory.Exists(Pulled) ? Directory.GetFiles(Pulled) : [])
            {
                if (!kept.Contains(path) && File.GetLastWriteTimeUtc(path) < before.UtcDateTime)
                {
                    File.Delete(path);
                }
            }
        }
    }

    private void End(string image)
    {
        if (pulling.GetValueOrDefault(image) > 1)
        {
            pulling[image]--;
            return;
        }

        pulling.Remove(image);
        File.Delete(PathOf(Pulling, image));
    }

    /// <summary>A record that cannot be read proves nothing to anybody: the image is pulled again.</summary>
    private static PulledRecord? Read(string path, string imageRef)
    {
        try
        {
            return PulledRecord.Parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (FormatException)
        {
            return new PulledRecord(imageRef, default, ImmutableDictionary<string, PulledWith>.Empty);
        }
    }

    // The name appears when the content is whole.
    private static void Write(string path, string text)
    {
        var unfinished = path + ".tmp";
        File.WriteAllText(unfinished, text);
        File.Move(unfinished, path, overwrite: true);
    }

    // Names of images hold slashes, and may be as long as the one who wrote the pod likes.
    private static string PathOf(string folder, string name) => Path.Combine(folder, "sha256-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name))));
}

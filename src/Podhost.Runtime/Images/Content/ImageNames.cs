using System.Collections.Immutable;

namespace Podhost.Runtime.Images.Content;

/// <summary>The pure rules of names: which image has which, and which image a user's text means.</summary>
internal static class ImageNames
{
    public static ImmutableSortedDictionary<string, LocalImage> Put(ImmutableSortedDictionary<string, LocalImage> images, LocalImage image)
    {
        var merged = image;
        if (images.TryGetValue(image.Id, out var known))
        {
            merged = image with
            {
                RepoTags = Union(known.RepoTags, image.RepoTags),
                RepoDigests = Union(known.RepoDigests, image.RepoDigests),
                Pinned = known.Pinned || image.Pinned,
            };
            if (SameNames(known, merged))
            {
                return images;
            }
        }

        // The image that loses its tag stays, as its digest still names it.
        foreach (var other in images.Values.Where(other => other.Id != image.Id && other.RepoTags.Intersect(image.RepoTags).Any()))
        {
            images = images.SetItem(other.Id, other with { RepoTags = [.. other.RepoTags.Except(image.RepoTags)] });
        }

        return images.SetItem(image.Id, merged);
    }

    public static LocalImage? Find(ImmutableSortedDictionary<string, LocalImage> images, string text)
    {
        if (images.TryGetValue(text, out var byId) || images.TryGetValue("sha256:" + text, out byId))
        {
            return byId;
        }

        if (!ImageReference.TryParse(text, out var reference, out _))
        {
            return null;
        }

        var name = reference.Canonical;
        return images.Values.FirstOrDefault(image =>
            reference.Digest is null ? image.RepoTags.Contains(name) : image.RepoDigests.Contains(name));
    }

    // Pulled again and nothing new: the common case of imagePullPolicy Always, worth no write.
    private static bool SameNames(LocalImage known, LocalImage merged) =>
        known.RepoTags.SequenceEqual(merged.RepoTags) && known.RepoDigests.SequenceEqual(merged.RepoDigests)
        && known.Pinned == merged.Pinned && known.ManifestDigest == merged.ManifestDigest;

    private static List<string> Union(IReadOnlyList<string> known, IReadOnlyList<string> added) => [.. known.Union(added)];
}

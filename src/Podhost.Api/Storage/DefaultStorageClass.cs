using k8s.Models;

namespace Podhost.Api.Storage;

/// <summary>The class that claims without one get. Source: upstream's pkg/volume/util GetDefaultClass and pkg/apis/storage/util.</summary>
public static class DefaultStorageClass
{
    private const string ClassAnnotation = "volume.beta.kubernetes.io/storage-class";
    private static readonly string[] Marks = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

    /// <summary>The default class: of several the newest, then the first by name; null where there is none.</summary>
    public static V1StorageClass? Of(IEnumerable<V1StorageClass> classes) => classes
        .Where(c => Marks.Any(mark => c.Metadata.Annotations?.TryGetValue(mark, out var value) == true && value == "true"))
        .OrderByDescending(c => c.Metadata.CreationTimestamp).ThenBy(c => c.Metadata.Name, StringComparer.Ordinal)
        .FirstOrDefault();

    /// <summary>True where a claim says which class it wants; the empty one is such a wish.</summary>
    /// <param name="className">spec.storageClassName.</param>
    /// <param name="annotations">metadata.annotations: the older form of the field.</param>
    public static bool IsNamed(string? className, IEnumerable<string> annotations) => className is not null || annotations.Contains(ClassAnnotation);
}

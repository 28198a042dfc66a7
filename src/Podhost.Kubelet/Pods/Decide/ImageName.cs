using System.Text.RegularExpressions;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Image references as far as the kubelet judges them: the grammar of OCI distribution references.</summary>
internal static partial class ImageName
{
    public static bool IsValid(string image) => image.Length is > 0 and <= 512 && Reference().IsMatch(image);

    /// <summary>True for the tag <c>latest</c>, given or implied; false with a digest.</summary>
    public static bool HasLatestTag(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
        {
            return false;
        }

        var colon = image.LastIndexOf(':');
        return colon <= image.LastIndexOf('/') || image.AsSpan(colon + 1).SequenceEqual("latest");
    }

    [GeneratedRegex(
        @"^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?"
        + @"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
        + @"(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Reference();
}

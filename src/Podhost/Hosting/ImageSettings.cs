using Podhost.Configuration;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Images;

namespace Podhost.Hosting;

/// <summary>The rules of the KubeletConfiguration's fields about images, in upstream's words.</summary>
internal static class ImageSettings
{
    public static PullVerificationPolicy Policy(string text) => text switch
    {
        nameof(PullVerificationPolicy.NeverVerify) => PullVerificationPolicy.NeverVerify,
        nameof(PullVerificationPolicy.NeverVerifyPreloadedImages) => PullVerificationPolicy.NeverVerifyPreloadedImages,
        nameof(PullVerificationPolicy.NeverVerifyAllowlistedImages) => PullVerificationPolicy.NeverVerifyAllowlistedImages,
        nameof(PullVerificationPolicy.AlwaysVerify) => PullVerificationPolicy.AlwaysVerify,
        _ => throw Invalid($"option {text} specified for imagePullCredentialsVerificationPolicy. Valid options are AlwaysVerify, NeverVerify, NeverVerifyAllowlistedImages and NeverVerifyPreloadedImages"),
    };

    public static void Check(KubeletOptions options)
    {
        var images = options.ImageGarbage;
        Require(images.HighThresholdPercent is >= 0 and <= 100, $"imageGCHighThresholdPercent (--image-gc-high-threshold) {images.HighThresholdPercent} must be between 0 and 100, inclusive");
        Require(images.LowThresholdPercent is >= 0 and <= 100, $"imageGCLowThresholdPercent (--image-gc-low-threshold) {images.LowThresholdPercent} must be between 0 and 100, inclusive");
        Require(
            images.LowThresholdPercent < images.HighThresholdPercent,
            $"imageGCLowThresholdPercent (--image-gc-low-threshold) {images.LowThresholdPercent} must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) {images.HighThresholdPercent}");
        Require(
            images.MaximumAge == TimeSpan.Zero || images.MaximumAge > images.MinimumAge,
            $"imageMaximumGCAge {images.MaximumAge} must be greater than imageMinimumGCAge {images.MinimumAge}");
        Require(
            options.PreloadedImagesVerificationAllowlist.Count == 0 || options.ImagePullCredentialsVerificationPolicy == PullVerificationPolicy.NeverVerifyAllowlistedImages,
            "can't set `preloadedImagesVerificationAllowlist` if `imagePullCredentialsVerificationPolicy` is not \"NeverVerifyAllowlistedImages\"");
        foreach (var pattern in options.PreloadedImagesVerificationAllowlist)
        {
            var repository = pattern.EndsWith("/*", StringComparison.Ordinal) ? pattern[..^2] : pattern;
            Require(
                repository.Length > 0 && !repository.Contains('*', StringComparison.Ordinal) && !repository.Contains('@', StringComparison.Ordinal) && repository.LastIndexOf(':') <= repository.LastIndexOf('/'),
                $"`preloadedImagesVerificationAllowlist` contains the invalid pattern \"{pattern}\": a repository, or a path followed by /*, without tag or digest");
        }
    }

    private static void Require(bool holds, string rule)
    {
        if (!holds)
        {
            throw Invalid(rule);
        }
    }

    private static ConfigurationException Invalid(string rule) => new($"KubeletConfiguration: invalid configuration: {rule}");
}

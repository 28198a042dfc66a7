namespace Podhost.Kubelet.Images;

/// <summary>imagePullCredentialsVerificationPolicy: for which images on the node a pod must show that it may use them.</summary>
public enum PullVerificationPolicy
{
    /// <summary>For those that this kubelet pulled; what was there before is everybody's. The default.</summary>
    NeverVerifyPreloadedImages,

    /// <summary>For none.</summary>
    NeverVerify,

    /// <summary>For all but those of preloadedImagesVerificationAllowlist.</summary>
    NeverVerifyAllowlistedImages,

    /// <summary>For all.</summary>
    AlwaysVerify,
}

/// <summary>Whether an image that is on the node must be pulled for a pod all the same. Pure. Source: upstream's image pull manager.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Allowlist">preloadedImagesVerificationAllowlist: repositories, or a path followed by <c>/*</c>.</param>
internal sealed record PullVerification(PullVerificationPolicy Policy, IReadOnlyList<string> Allowlist)
{
    public static PullVerification Default { get; } = new(PullVerificationPolicy.NeverVerifyPreloadedImages, []);

    /// <summary>True where the pod has not shown yet that it may use the image.</summary>
    /// <param name="image">The image as the pod names it.</param>
    /// <param name="record">What this kubelet knows of pulling it; null where it never began to.</param>
    /// <param name="credentials">The pod's credentials that fit the image.</param>
    public bool MustPull(string image, PulledRecord? record, IReadOnlyList<PullCredential> credentials)
    {
        var repository = ImageNameParts.Repository(image);
        var exempt = Policy switch
        {
            PullVerificationPolicy.NeverVerify => true,
            PullVerificationPolicy.NeverVerifyPreloadedImages => record is null,
            PullVerificationPolicy.NeverVerifyAllowlistedImages => record is null && Allowlist.Any(p => Matches(p, repository)),
            _ => false,
        };
        if (exempt)
        {
            return false;
        }

        return record?.ByRepository.GetValueOrDefault(repository) is not { } with
            || !(with.Everybody || credentials.Any(c => with.Secrets.Any(c.Secret.Proves)));
    }

    private static bool Matches(string pattern, string repository) => pattern.EndsWith("/*", StringComparison.Ordinal)
        ? repository.StartsWith(pattern[..^1], StringComparison.Ordinal)
        : pattern == repository;
}

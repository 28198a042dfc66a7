namespace Podhost.Api.CustomResources;

/// <summary>Groups that belong to the Kubernetes community want an approval.</summary>
/// <remarks>https://github.com/kubernetes/enhancements/pull/1111</remarks>
public static class ApiApproval
{
    /// <summary>The annotation that tells of it.</summary>
    public const string Annotation = "api-approved.kubernetes.io";

    /// <summary>What a definition without the annotation is told.</summary>
    public const string Missing = $"protected groups must have approval annotation \"{Annotation}\", " + Link;

    /// <summary>What a definition is told whose annotation is neither an address nor a reason.</summary>
    public const string Invalid =
        $"protected groups must have approval annotation \"{Annotation}\" with either a URL or a reason starting with \"unapproved\", " + Link;

    private const string Link = "see https://github.com/kubernetes/enhancements/pull/1111";

    /// <summary>True for groups below k8s.io and kubernetes.io.</summary>
    public static bool IsProtected(string group) =>
        group is "k8s.io" or "kubernetes.io" || group.EndsWith(".k8s.io", StringComparison.Ordinal) || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);

    /// <summary>True where the annotation's text is an address, which is where the approval was given.</summary>
    public static bool IsApproval(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0;

    /// <summary>True where the annotation says that there is no approval, and why.</summary>
    public static bool IsUnapproved(string text) => text.StartsWith("unapproved", StringComparison.Ordinal);
}

namespace Podhost.Api.CustomResources;

/// <summary>Groups that belong to the Kubernetes community want an approval.</summary>
/// <remarks>https://github.com/kubernetes/enhancements/pull/1111</remarks>
public static class ApiApproval
{
    /// <summary>True for groups below k8s.io and kubernetes.io.</summary>
    public static bool IsProtected(string group) =>
        group is "k8s.io" or "kubernetes.io" || group.EndsWith(".k8s.io", StringComparison.Ordinal) || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);

    /// <summary>True where the annotation's text is an address, which is where the approval was given.</summary>
    public static bool IsApproval(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0;
}

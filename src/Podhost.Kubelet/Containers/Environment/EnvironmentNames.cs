namespace Podhost.Kubelet.Containers.Environment;

/// <summary>Names of variables: any printable ASCII but '=' (Kubernetes 1.34's rule).</summary>
internal static class EnvironmentNames
{
    public static bool IsValid(string name) =>
        name.Length > 0 && !name.AsSpan().ContainsAnyExceptInRange(' ', '~') && !name.Contains('=', StringComparison.Ordinal);
}

namespace Podhost.Kubelet.Containers;

/// <summary>Waiting reasons of containers that cannot be configured.</summary>
public static class ContainerConfigReasons
{
    /// <summary>A reference is missing or a rule of the spec is broken.</summary>
    public const string CreateContainerConfigError = "CreateContainerConfigError";

    /// <summary>The sandbox cannot be configured.</summary>
    public const string CreatePodSandboxError = "CreatePodSandboxError";

    /// <summary>A sysctl that is not allowed here.</summary>
    public const string SysctlForbidden = "SysctlForbidden";
}

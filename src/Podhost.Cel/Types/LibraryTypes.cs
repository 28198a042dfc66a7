namespace Podhost.Cel.Types;

/// <summary>Types that the libraries of Kubernetes add.</summary>
public static class LibraryTypes
{
    /// <summary>An amount, such as <c>100m</c>.</summary>
    public static CelType Quantity { get; } = CelType.Opaque("kubernetes.Quantity");

    /// <summary>A URL.</summary>
    public static CelType Url { get; } = CelType.Opaque("kubernetes.URL");

    /// <summary>An address.</summary>
    public static CelType Ip { get; } = CelType.Opaque("net.IP");

    /// <summary>A network.</summary>
    public static CelType Cidr { get; } = CelType.Opaque("net.CIDR");

    /// <summary>A semantic version.</summary>
    public static CelType Semver { get; } = CelType.Opaque("kubernetes.Semver");

    /// <summary>A named format of strings.</summary>
    public static CelType Format { get; } = CelType.Opaque("kubernetes.NamedFormat");

    /// <summary>The authorizer of a request.</summary>
    public static CelType Authorizer { get; } = CelType.Opaque("kubernetes.authorization.Authorizer");

    /// <summary>A check of a path that is not a resource.</summary>
    public static CelType PathCheck { get; } = CelType.Opaque("kubernetes.authorization.PathCheck");

    /// <summary>A check within an API group.</summary>
    public static CelType GroupCheck { get; } = CelType.Opaque("kubernetes.authorization.GroupCheck");

    /// <summary>A check of a resource.</summary>
    public static CelType ResourceCheck { get; } = CelType.Opaque("kubernetes.authorization.ResourceCheck");

    /// <summary>The answer of a check.</summary>
    public static CelType Decision { get; } = CelType.Opaque("kubernetes.authorization.Decision");
}

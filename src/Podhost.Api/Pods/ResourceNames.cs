using System.Globalization;
using k8s.Models;

namespace Podhost.Api.Pods;

/// <summary>Names of resources, and the ones that a node accounts.</summary>
public static class ResourceNames
{
    /// <summary>Cores.</summary>
    public const string Cpu = "cpu";
    /// <summary>Bytes of memory.</summary>
    public const string Memory = "memory";
    /// <summary>Bytes of node-local disk.</summary>
    public const string EphemeralStorage = "ephemeral-storage";
    /// <summary>Prefix of huge pages of a size, for example hugepages-2Mi.</summary>
    public const string HugePagesPrefix = "hugepages-";

    /// <summary>True for the resources that may be set for a whole pod (spec.resources).</summary>
    public static bool IsPodLevel(string name) => name is Cpu or Memory || IsHugePages(name);

    /// <summary>True for huge pages of any size.</summary>
    public static bool IsHugePages(string name) => name.StartsWith(HugePagesPrefix, StringComparison.Ordinal);

    /// <summary>True for resources of Kubernetes itself: without a domain, or with one of its own.</summary>
    public static bool IsNative(string name) =>
        !name.Contains('/', StringComparison.Ordinal) || name.Split('/')[0].EndsWith("kubernetes.io", StringComparison.Ordinal);

    /// <summary>True where a limit may be greater than the request: not for huge pages and devices.</summary>
    public static bool MayOvercommit(string name) => IsNative(name) && !IsHugePages(name);

    /// <summary>Page size of <c>hugepages-2Mi</c> as the hugetlb controller names it (<c>2MB</c>, <c>1GB</c>), or null where it is none.</summary>
    public static string? HugePageUnit(string name)
    {
        if (!IsHugePages(name) || Quantities.TryParse(name[HugePagesPrefix.Length..]) is not { } size || size <= 0)
        {
            return null;
        }

        // The kernel counts in powers of two but writes KB, MB, GB.
        string[] units = ["B", "KB", "MB", "GB", "TB", "PB"];
        var unit = 0;
        while (unit < units.Length - 1 && size >= 1024 && size % 1024 == 0)
        {
            size /= 1024;
            unit++;
        }

        return ((long)size).ToString(CultureInfo.InvariantCulture) + units[unit];
    }
}

using System.Globalization;
using Podhost.Api.Quantities;
using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Node;

/// <summary>The huge pages that the machine has set aside.</summary>
internal static class HugePages
{
    /// <summary>Bytes by resource name (<c>hugepages-2Mi</c>), for every size that the kernel knows, also where none are set aside.</summary>
    /// <param name="directory"><c>/sys/kernel/mm/hugepages</c>, or one like it.</param>
    public static Dictionary<string, decimal> Read(string directory)
    {
        const string prefix = "hugepages-";
        var result = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var path in Directory.Exists(directory) ? Directory.EnumerateDirectories(directory, prefix + "*kB") : [])
        {
            var name = Path.GetFileName(path);
            if (long.TryParse(name.AsSpan(prefix.Length, name.Length - prefix.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes)
                && long.TryParse(File.ReadAllText(Path.Combine(path, "nr_hugepages")).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pages))
            {
                result[ResourceNames.HugePagesPrefix + Quantity.FromValue(kilobytes * 1024, QuantityFormat.BinarySI)] = (decimal)kilobytes * 1024 * pages;
            }
        }

        return result;
    }
}

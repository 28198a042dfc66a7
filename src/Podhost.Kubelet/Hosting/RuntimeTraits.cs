using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Podhost.Cri.V1;

namespace Podhost.Kubelet.Hosting;

/// <summary>What a runtime is and can do, as it says at the kubelet's start. Pure.</summary>
internal sealed partial record RuntimeTraits
{
    /// <summary>Before the runtime was asked.</summary>
    public static RuntimeTraits Unknown { get; } = new();

    /// <summary>For messages, for example <c>containerd 1.6.20</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>It mounts images as volumes. CRI has no word for it: a runtime that is known to be too old is told by its version.</summary>
    public bool ImageVolumes { get; init; } = true;

    /// <summary>Handlers that make mounts read-only with all mounts below; the default handler has no name.</summary>
    public ImmutableHashSet<string> RecursiveReadOnly { get; init; } = [];

    /// <summary>It can leave out the groups that the image's own <c>/etc/group</c> has for a user (supplementalGroupsPolicy Strict).</summary>
    public bool StrictGroups { get; init; } = true;

    /// <summary>Reads what a runtime says.</summary>
    public static RuntimeTraits Of(VersionResponse version, StatusResponse status) => new()
    {
        Name = $"{version.RuntimeName} {version.RuntimeVersion}".Trim(),
        ImageVolumes = !IsOlder(version, "containerd", 2, 1) && !IsOlder(version, "cri-o", 1, 31),
        StrictGroups = status.Features?.SupplementalGroupsPolicy == true,
        RecursiveReadOnly = [.. status.RuntimeHandlers.Where(h => h.Features?.RecursiveReadOnlyMounts == true).Select(h => h.Name)],
    };

    private static bool IsOlder(VersionResponse runtime, string name, int major, int minor) =>
        runtime.RuntimeName == name && Numbers().Match(runtime.RuntimeVersion) is { Success: true } match
        && (Number(match.Groups[1]), Number(match.Groups[2])).CompareTo((major, minor)) < 0;

    private static int Number(Group group) => int.TryParse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;

    [GeneratedRegex(@"^v?([0-9]+)\.([0-9]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();
}

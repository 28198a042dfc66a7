using Podhost.Api.Resources;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Namespaces;

/// <summary>What one pass over a namespace found.</summary>
/// <param name="Remaining">Objects that are still there.</param>
/// <param name="Failures">Why content could not be deleted, in the order in which it happened.</param>
internal sealed record NamespaceContent(IReadOnlyList<ObjectIdentity> Remaining, IReadOnlyList<string> Failures)
{
    public bool IsEmpty => Remaining.Count == 0 && Failures.Count == 0;

    /// <summary>
    /// The kinds to empty, in waves: pods first and alone, so that nothing that a pod stands on (its policy, its secrets) goes before it;
    /// then the rest. Source: KEP-5080, ordered namespace deletion.
    /// </summary>
    /// <param name="custom">Custom kinds of any scope.</param>
    public static IReadOnlyList<IReadOnlyList<ResourceInfo>> Waves(IReadOnlyList<ResourceInfo> custom) =>
        [BuiltIn[0], [.. BuiltIn[1], .. custom.Where(r => r.Namespaced)]];

    private static readonly IReadOnlyList<IReadOnlyList<ResourceInfo>> BuiltIn = MakeWaves();

    private static IReadOnlyList<IReadOnlyList<ResourceInfo>> MakeWaves()
    {
        var kinds = ResourceTable.All.Where(r => r.Namespaced && r.StoredAs is null && !r.IsVirtual && r.Verbs.Contains("delete")).ToList();
        return [[.. kinds.Where(IsPods)], [.. kinds.Where(r => !IsPods(r))]];
    }

    private static bool IsPods(ResourceInfo resource) => resource is { Group: "", Plural: "pods" };
}

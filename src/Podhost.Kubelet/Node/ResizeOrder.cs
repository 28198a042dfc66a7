using k8s.Models;
using Podhost.Api.Pods;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Node;

/// <summary>
/// Which of several resizes that wait is looked at first. Pure. Source: upstream's allocation manager: those that ask for no more, then by priority,
/// then Guaranteed before others, then the one that waits the longest.
/// </summary>
internal static class ResizeOrder
{
    public static IEnumerable<T> Sort<T>(IEnumerable<T> waiting, Func<T, V1Pod> given, Func<T, V1Pod> wanted, Func<T, DateTimeOffset> since) => waiting
        .OrderBy(w => AsksForMore(given(w), wanted(w)))
        .ThenByDescending(w => wanted(w).Spec.Priority ?? 0)
        .ThenBy(w => QosRules.Of(wanted(w)) != QosClass.Guaranteed)
        .ThenBy(since);

    /// <summary>True where more cpu or memory is asked for than is given.</summary>
    public static bool AsksForMore(V1Pod given, V1Pod wanted) => Grew(given, wanted, ResourceNames.Cpu) || Grew(given, wanted, ResourceNames.Memory);

    /// <summary>True where less cpu or memory is asked for: there is room for others.</summary>
    public static bool AsksForLess(V1Pod given, V1Pod wanted) => Grew(wanted, given, ResourceNames.Cpu) || Grew(wanted, given, ResourceNames.Memory);

    private static bool Grew(V1Pod from, V1Pod to, string resource) => PodResources.Requests(to).Get(resource) > PodResources.Requests(from).Get(resource);
}

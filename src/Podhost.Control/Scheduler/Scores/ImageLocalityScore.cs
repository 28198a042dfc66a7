using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Prefers nodes that have the pod's images already, by their size.</summary>
internal sealed class ImageLocalityScore : INodeScore
{
    private const double MinBytes = 23.0 * 1024 * 1024;
    private const double MaxBytesAContainer = 1000.0 * 1024 * 1024;

    public int Weight => 1;

    public double Score(PodView pod, NodeView node, ClusterView cluster)
    {
        var containers = (pod.Spec.InitContainers ?? []).Concat(pod.Spec.Containers ?? []).ToList();
        var bytes = containers.Sum(c => (double)(Find(node, c.Image) ?? 0));
        var max = MaxBytesAContainer * Math.Max(1, containers.Count);
        return Math.Clamp(100 * (bytes - MinBytes) / (max - MinBytes), 0, 100);
    }

    private static long? Find(NodeView node, string? image) =>
        image is null ? null : (node.Node.Status?.Images ?? []).FirstOrDefault(i => (i.Names ?? []).Any(n => Same(n, image)))?.SizeBytes;

    private static bool Same(string stored, string wanted) =>
        stored == wanted || stored == wanted + ":latest" || stored.EndsWith("/" + wanted, StringComparison.Ordinal) || stored.EndsWith("/" + wanted + ":latest", StringComparison.Ordinal);
}

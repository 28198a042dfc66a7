using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Prefers nodes that have the pod's images already, by their size and by how many nodes have them: an image of one node draws less.</summary>
internal sealed class ImageLocalityScore : INodeScore
{
    private const double MinBytes = 23.0 * 1024 * 1024;
    private const double MaxBytesAContainer = 1000.0 * 1024 * 1024;

    public int Weight => 1;

    public long[]? Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        var spec = cycle.Pod.Spec;
        var images = (spec.InitContainers ?? []).Concat(spec.Containers ?? []).Select(c => NamesOf(c.Image ?? "")).ToList();
        var all = cycle.Cluster.Nodes;
        var shares = images.ConvertAll(names => (double)Array.FindAll(all, n => SizeOn(n, names) > 0).Length / all.Length);
        if (shares.TrueForAll(s => s == 0))
        {
            return null;
        }

        var max = MaxBytesAContainer * Math.Max(1, images.Count);
        return
        [
            .. nodes.Select(n =>
            {
                var bytes = images.Zip(shares).Sum(i => SizeOn(n, i.First) * i.Second);
                return (long)(Normalization.Max * (Math.Clamp(bytes, MinBytes, max) - MinBytes) / (max - MinBytes));
            }),
        ];
    }

    private static long SizeOn(NodeView node, string[] names)
    {
        if (node.Images.Count == 0)
        {
            return 0;
        }

        foreach (var name in names)
        {
            if (node.Images.TryGetValue(name, out var size))
            {
                return size;
            }
        }

        return 0;
    }

    // Nodes report full names; pods write short ones.
    private static string[] NamesOf(string image)
    {
        var tagged = image.LastIndexOf(':') > image.LastIndexOf('/') || image.Contains('@') ? image : image + ":latest";
        return [tagged, "docker.io/library/" + tagged, "docker.io/" + tagged, "localhost/" + tagged];
    }
}

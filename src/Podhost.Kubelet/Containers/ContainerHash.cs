using System.Text;
using k8s.Models;

namespace Podhost.Kubelet.Containers;

/// <summary>Tells whether a running container is still the one that the spec asks for.</summary>
public static class ContainerHash
{
    private const uint OffsetBasis = 2166136261;
    private const uint Prime = 16777619;

    /// <summary>FNV-1a over name and image: what can change in a container that must then be started anew. Resources are resized in place instead.</summary>
    public static uint Of(V1Container container)
    {
        var hash = OffsetBasis;

        // The zero byte keeps ("ab", "c") apart from ("a", "bc").
        foreach (var b in Encoding.UTF8.GetBytes($"{container.Name}\0{container.Image}"))
        {
            hash = (hash ^ b) * Prime;
        }

        return hash;
    }
}

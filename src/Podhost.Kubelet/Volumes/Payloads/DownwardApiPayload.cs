using System.Text;
using k8s.Models;
using Podhost.Kubelet.Containers.Environment;
using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Volumes.Payloads;

/// <summary>Files that tell a pod about itself.</summary>
internal static class DownwardApiPayload
{
    /// <exception cref="PayloadException">A reference cannot be resolved.</exception>
    public static Dictionary<string, PayloadFile> Files(IList<V1DownwardAPIVolumeFile>? items, V1Pod pod, NodeResources node, FileDefaults defaults)
    {
        var result = new Dictionary<string, PayloadFile>(StringComparer.Ordinal);
        foreach (var item in items ?? [])
        {
            result[item.Path] = new PayloadFile(
                Encoding.UTF8.GetBytes(Value(item, pod, node)), item.Mode ?? defaults.Mode, item.User ?? defaults.User);
        }

        return result;
    }

    private static string Value(V1DownwardAPIVolumeFile item, V1Pod pod, NodeResources node)
    {
        try
        {
            return item switch
            {
                { FieldRef: { } field } => FieldPaths.Read(field.FieldPath, pod, [], []),
                { ResourceFieldRef: { } resource } => ResourceFields.Read(resource, pod, null, node),
                _ => throw new PayloadException($"{item.Path}: fieldRef or resourceFieldRef is required"),
            };
        }
        catch (FieldPathException e)
        {
            throw new PayloadException(e.Message);
        }
    }
}

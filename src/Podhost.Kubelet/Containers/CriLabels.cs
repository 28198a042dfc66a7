using System.Globalization;
using System.Text;
using k8s.Models;
using Podhost.Api.Objects;

namespace Podhost.Kubelet.Containers;

/// <summary>
/// Labels and annotations of sandboxes and containers. They are upstream's, so that crictl and other tools read them, and they
/// are all that remains of a container's spec after the kubelet restarts.
/// </summary>
public static class CriLabels
{
    /// <summary>Label: metadata.name of the pod.</summary>
    public const string PodName = "io.kubernetes.pod.name";

    /// <summary>Label: metadata.namespace of the pod.</summary>
    public const string PodNamespace = "io.kubernetes.pod.namespace";

    /// <summary>Label: metadata.uid of the pod.</summary>
    public const string PodUid = "io.kubernetes.pod.uid";

    /// <summary>Label: name of the container.</summary>
    public const string ContainerName = "io.kubernetes.container.name";

    /// <summary>Annotation: <see cref="ContainerHash"/> in hexadecimal.</summary>
    public const string Hash = "io.kubernetes.container.hash";

    /// <summary>Annotation: the attempt.</summary>
    public const string RestartCount = "io.kubernetes.container.restartCount";

    /// <summary>Annotation: terminationMessagePath.</summary>
    public const string TerminationMessagePath = "io.kubernetes.container.terminationMessagePath";

    /// <summary>Annotation: terminationMessagePolicy.</summary>
    public const string TerminationMessagePolicy = "io.kubernetes.container.terminationMessagePolicy";

    /// <summary>Annotation: lifecycle.preStop as JSON.</summary>
    public const string PreStopHandler = "io.kubernetes.container.preStopHandler";

    /// <summary>Annotation: ports as JSON.</summary>
    public const string Ports = "io.kubernetes.container.ports";

    /// <summary>Annotation: init, container or ephemeral.</summary>
    public const string ContainerType = "io.kubernetes.container.type";

    /// <summary>Annotation: metadata.deletionGracePeriodSeconds.</summary>
    public const string DeletionGracePeriod = "io.kubernetes.pod.deletionGracePeriod";

    /// <summary>Annotation: spec.terminationGracePeriodSeconds.</summary>
    public const string TerminationGracePeriod = "io.kubernetes.pod.terminationGracePeriod";

    internal static IDictionary<string, string> SandboxLabels(V1Pod pod)
    {
        var labels = new Dictionary<string, string>(pod.Metadata.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        AddPod(labels, pod);
        return labels;
    }

    internal static IDictionary<string, string> ContainerLabels(V1Pod pod, V1Container container)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [ContainerName] = container.Name };
        AddPod(labels, pod);
        return labels;
    }

    internal static IDictionary<string, string> ContainerAnnotations(V1Pod pod, V1Container container, ContainerKind kind, uint attempt)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Hash] = ContainerHash.Of(container).ToString("x", CultureInfo.InvariantCulture),
            [RestartCount] = attempt.ToString(CultureInfo.InvariantCulture),
            [TerminationMessagePath] = container.TerminationMessagePath ?? "",
            [TerminationMessagePolicy] = container.TerminationMessagePolicy ?? "",
            [ContainerType] = kind switch
            {
                ContainerKind.Init => "init",
                ContainerKind.Ephemeral => "ephemeral",
                _ => "container",
            },
        };
        AddNumber(annotations, DeletionGracePeriod, pod.Metadata.DeletionGracePeriodSeconds);
        AddNumber(annotations, TerminationGracePeriod, pod.Spec.TerminationGracePeriodSeconds);
        if (container.Lifecycle?.PreStop is { } preStop)
        {
            annotations[PreStopHandler] = Encoding.UTF8.GetString(ObjectCodec.ToUtf8(preStop));
        }

        if (container.Ports is { Count: > 0 } ports)
        {
            annotations[Ports] = $"[{string.Join(',', ports.Select(p => Encoding.UTF8.GetString(ObjectCodec.ToUtf8(p))))}]";
        }

        return annotations;
    }

    private static void AddPod(Dictionary<string, string> labels, V1Pod pod)
    {
        labels[PodName] = pod.Metadata.Name;
        labels[PodNamespace] = pod.Metadata.NamespaceProperty;
        labels[PodUid] = pod.Metadata.Uid;
    }

    private static void AddNumber(Dictionary<string, string> annotations, string key, long? value)
    {
        if (value is { } number)
        {
            annotations[key] = number.ToString(CultureInfo.InvariantCulture);
        }
    }
}

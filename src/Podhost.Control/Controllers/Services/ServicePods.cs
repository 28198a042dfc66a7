using Podhost.Control.Objects;
using k8s.Models;

namespace Podhost.Control.Controllers.Services;

/// <summary>Which pods are behind a Service, and on which ports. Pure. Source: upstream's endpointslice and endpoints controllers.</summary>
internal static class ServicePods
{
    /// <summary>True where the endpoints of a Service are ours to write: it has a selector, and is more than a DNS alias.</summary>
    public static bool IsManaged(V1Service service) => service.Spec is { Selector.Count: > 0, Type: not "ExternalName" };

    public static bool IsHeadless(V1Service service) => service.Spec.ClusterIP is "None";

    public static bool Selects(V1Service service, V1Pod pod) =>
        service.Metadata.NamespaceProperty == pod.Metadata.NamespaceProperty
        && service.Spec?.Selector is { Count: > 0 } selector
        && pod.Metadata.Labels is { } labels
        && selector.All(s => labels.TryGetValue(s.Key, out var value) && value == s.Value);

    /// <summary>True where a pod has an address and is not finished. Pods that are going count only where <paramref name="includeTerminating"/>.</summary>
    public static bool CanBeEndpoint(V1Pod pod, bool includeTerminating) =>
        !PodStates.IsFinished(pod)
        && (!string.IsNullOrEmpty(pod.Status?.PodIP) || pod.Status?.PodIPs is { Count: > 0 })
        && (includeTerminating || !IsTerminating(pod));

    public static bool IsTerminating(V1Pod pod) => pod.Metadata.DeletionTimestamp is not null;

    /// <summary>The pod's hostname where it is published under this Service.</summary>
    public static string? Hostname(V1Service service, V1Pod pod) =>
        !string.IsNullOrEmpty(pod.Spec.Hostname) && pod.Spec.Subdomain == service.Metadata.Name ? pod.Spec.Hostname : null;

    /// <summary>The number behind a Service's port on a pod; null where the pod has no port of that name.</summary>
    public static int? FindPort(V1ServicePort port, V1Pod pod)
    {
        var target = port.TargetPort?.Value;
        if (string.IsNullOrEmpty(target) || target == "0")
        {
            return port.Port;
        }

        if (int.TryParse(target, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        var sidecars = (pod.Spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always");
        return (pod.Spec.Containers ?? []).Concat(sidecars)
            .SelectMany(c => c.Ports ?? [])
            .FirstOrDefault(p => p.Name == target && (p.Protocol ?? "TCP") == (port.Protocol ?? "TCP"))?.ContainerPort;
    }

    public static V1ObjectReference Reference(V1Pod pod) => new()
    {
        Kind = "Pod",
        NamespaceProperty = pod.Metadata.NamespaceProperty,
        Name = pod.Metadata.Name,
        Uid = pod.Metadata.Uid,
    };
}

using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Pods;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>Refuses a resize that the pod's node can never give. Source: upstream's PodResizeValidator (1.36).</summary>
public sealed class PodResizePlugin : IAdmissionPlugin
{
    private static readonly ResourceInfo Nodes = ResourceTable.For<V1Node>();

    /// <inheritdoc />
    public string Name => "PodResizeValidator";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) =>
        request.Operation == AdmissionOperation.Update && request.Resource == PodAdmission.Pods && request.Subresource == "resize";

    /// <inheritdoc />
    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var nodeName = Meta.Text(Meta.At(request.Object!, "spec", "nodeName"));
        if (nodeName.Length == 0 || JsonNode.DeepEquals(request.Object!["spec"], request.OldObject!["spec"]))
        {
            return;
        }

        await request.Objects.CatchUpAsync(cancellationToken);
        var node = request.Objects.Get(Nodes, null, nodeName) is { } stored ? ObjectCodec.ToModel<V1Node>(stored.Utf8.Span) : throw Refuse(request, $"node \"{nodeName}\" not found");
        if (node.Metadata.Labels is { } labels && labels.TryGetValue("kubernetes.io/os", out var os) && os != "linux")
        {
            throw Refuse(request, $"pod resize is only supported on linux nodes, node \"{nodeName}\" is \"{os}\"", "UnsupportedPlatform");
        }

        if (Shortage(ObjectCodec.ToModel<V1Pod>(request.Object!), node) is { Length: > 0 } missing)
        {
            throw Refuse(request, "node didn't have enough allocatable resources: " + missing, "NodeCapacity");
        }
    }

    private static string Shortage(V1Pod pod, V1Node node)
    {
        var (requests, allocatable) = (PodResources.Requests(pod), Quantities.ToAmounts(node.Status?.Allocatable));
        return string.Join("; ", new[] { (Name: ResourceNames.Cpu, In: (Func<decimal, long>)Quantities.MilliValue), (ResourceNames.Memory, Quantities.Value) }
            .Where(r => requests.Get(r.Name) > allocatable.GetValueOrDefault(r.Name))
            .Select(r => FormattableString.Invariant($"{r.Name}, requested: {r.In(requests.Get(r.Name))}, allocatable: {r.In(allocatable.GetValueOrDefault(r.Name))}")));
    }

    private static ApiException Refuse(AdmissionRequest request, string why, string? cause = null)
    {
        var refusal = ApiException.Forbidden("", "pods", request.Name, why);
        if (cause is not null)
        {
            refusal.Status.Details.Causes = [new V1StatusCause { Reason = cause }];
        }

        return refusal;
    }
}

using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authz;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>A kubelet may change only its own Node and Lease and the pods that are bound to it. Source: upstream's NodeRestriction plugin.</summary>
public sealed class NodeRestrictionPlugin : IAdmissionPlugin
{
    private const string RestrictedLabelPrefix = "node-restriction.kubernetes.io/";
    private static readonly ResourceInfo Nodes = ResourceTable.For<V1Node>();
    private static readonly ResourceInfo Leases = ResourceTable.For<V1Lease>();

    /// <inheritdoc />
    public string Name => "NodeRestriction";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => NodeAuthorizer.NodeNameOf(request.User) is not null;

    /// <inheritdoc />
    public ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var node = NodeAuthorizer.NodeNameOf(request.User)!;
        if (request.Resource == PodAdmission.Pods)
        {
            CheckPod(request, node);
        }
        else if (request.Resource == Nodes)
        {
            CheckNode(request, node);
        }
        else if (request.Resource == Leases && request.Namespace == "kube-node-lease" && NameOf(request) != node)
        {
            throw ApiException.Forbidden("coordination.k8s.io", "leases", NameOf(request), $"can only access node lease with the same name as the requesting node");
        }

        return ValueTask.CompletedTask;
    }

    private static void CheckPod(AdmissionRequest request, string node)
    {
        if (request is { Operation: AdmissionOperation.Create, Subresource: "" })
        {
            if (!PodAdmission.IsMirror(request.Object!))
            {
                throw Refuse(request, "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"" + node + "\" can only create mirror pods");
            }

            if (PodAdmission.Text(PodAdmission.Spec(request.Object!)["nodeName"]) != node)
            {
                throw Refuse(request, $"node \"{node}\" can only create pods with spec.nodeName set to itself");
            }

            return;
        }

        var pod = request.OldObject ?? request.Objects.Get(PodAdmission.Pods, request.Namespace, request.Name)?.ToObject();
        if (pod is not null && PodAdmission.Text(PodAdmission.Spec(pod)["nodeName"]) != node)
        {
            throw Refuse(request, $"node \"{node}\" can only {Verb(request)} pods with spec.nodeName set to itself");
        }
    }

    private static void CheckNode(AdmissionRequest request, string node)
    {
        if (NameOf(request) != node)
        {
            throw ApiException.Forbidden("", "nodes", NameOf(request), $"node \"{node}\" is not allowed to modify node \"{NameOf(request)}\"");
        }

        if (request.Operation == AdmissionOperation.Update && !JsonNode.DeepEquals(request.Object?["spec"]?["taints"], request.OldObject?["spec"]?["taints"]))
        {
            throw ApiException.Forbidden("", "nodes", node, $"node \"{node}\" is not allowed to modify taints");
        }

        var before = request.OldObject?["metadata"]?["labels"] as JsonObject ?? [];
        foreach (var (key, value) in request.Object?["metadata"]?["labels"] as JsonObject ?? [])
        {
            if (key.StartsWith(RestrictedLabelPrefix, StringComparison.Ordinal) && !JsonNode.DeepEquals(before[key], value))
            {
                throw ApiException.Forbidden("", "nodes", node, $"is not allowed to modify labels: {key}");
            }
        }
    }

    private static string NameOf(AdmissionRequest request) =>
        request.Name.Length > 0 ? request.Name : PodAdmission.Text(request.Object?["metadata"]?["name"]) ?? "";

    private static string Verb(AdmissionRequest request) => request.Operation switch
    {
        AdmissionOperation.Delete => "delete",
        AdmissionOperation.Create => request.Subresource == "eviction" ? "evict" : "create",
        _ => "update " + (request.Subresource.Length > 0 ? request.Subresource + " for" : ""),
    };

    private static ApiException Refuse(AdmissionRequest request, string why) => ApiException.Forbidden("", "pods", request.Name, why);
}

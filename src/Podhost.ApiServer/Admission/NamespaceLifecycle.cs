using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission;

/// <summary>Nothing is created in a namespace that is missing or going, and the namespaces that the system needs stay.</summary>
internal sealed class NamespaceLifecycle : IAdmissionPlugin
{
    private static readonly ResourceInfo Namespaces = ResourceTable.For<V1Namespace>();
    private static readonly string[] Immortal = ["default", "kube-system", "kube-public"];

    public string Name => "NamespaceLifecycle";

    public bool Handles(AdmissionRequest request) => request.Operation switch
    {
        AdmissionOperation.Delete => request.Resource == Namespaces && Immortal.Contains(request.Name, StringComparer.Ordinal),
        AdmissionOperation.Create => request.Namespace.Length > 0 && request.Resource.Namespaced && !IsAccessReview(request.Resource),
        _ => false,
    };

    public async ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Operation == AdmissionOperation.Delete)
        {
            throw ApiException.Forbidden("", "namespaces", request.Name, "this namespace may not be deleted");
        }

        // As new as the store has it: the namespace may have been made, or its deletion may have begun, a moment ago.
        await request.Objects.CatchUpAsync(cancellationToken);
        var ns = request.Objects.Get(Namespaces, null, request.Namespace) ?? throw ApiException.NotFound("", "namespaces", request.Namespace);
        if (ns.Selectable.Get("status.phase") == "Terminating" || Meta.IsDeleting(ns.ToObject()))
        {
            throw Terminating(request);
        }
    }

    private static ApiException Terminating(AdmissionRequest request)
    {
        var error = ApiException.Forbidden(request.Resource.Group, request.Resource.Plural, request.Name,
            $"unable to create new content in namespace {request.Namespace} because it is being terminated");
        error.Status.Details.Causes =
        [
            new V1StatusCause
            {
                Reason = "NamespaceTerminating",
                Message = $"namespace {request.Namespace} is being terminated",
                Field = "metadata.namespace",
            },
        ];
        return error;
    }

    private static bool IsAccessReview(ResourceInfo resource) => resource is { Group: "authorization.k8s.io" };
}

using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Limits;

/// <summary>Applies the LimitRanges of a namespace to pods (created or resized) and claims: defaults first, then minimum, maximum and ratio.</summary>
public sealed class LimitRangerPlugin : IAdmissionPlugin
{
    private static readonly ResourceInfo Ranges = ResourceTable.For<V1LimitRange>();
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private static readonly ResourceInfo Claims = ResourceTable.For<V1PersistentVolumeClaim>();

    /// <inheritdoc />
    public string Name => "LimitRanger";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => (request.Operation, request.Subresource) switch
    {
        (AdmissionOperation.Create, "") => request.Resource == Pods || request.Resource == Claims,
        (AdmissionOperation.Update, "") => request.Resource == Claims,
        (AdmissionOperation.Update, "resize") => request.Resource == Pods,
        _ => false,
    };

    /// <inheritdoc />
    public ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Resource == Pods && request.Operation == AdmissionOperation.Create)
        {
            foreach (var range in RangesOf(request))
            {
                LimitDefaults.Apply(range, request.Object!);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc />
    public ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Operation == AdmissionOperation.Update && Meta.IsDeleting(request.Object!))
        {
            return ValueTask.CompletedTask;
        }

        foreach (var range in RangesOf(request))
        {
            List<string> faults = request.Resource == Pods
                ? [.. LimitRules.Faults(range, ObjectCodec.ToModel<V1Pod>(request.Object!))]
                : [.. LimitRules.Faults(range, ObjectCodec.ToModel<V1PersistentVolumeClaim>(request.Object!))];
            if (faults.Count > 0)
            {
                throw ApiException.Forbidden(request.Resource.Group, request.Resource.Plural, Meta.Name(request.Object!),
                    faults.Count == 1 ? faults[0] : $"[{string.Join(", ", faults.Distinct(StringComparer.Ordinal))}]");
            }
        }

        return ValueTask.CompletedTask;
    }

    private static IEnumerable<V1LimitRange> RangesOf(AdmissionRequest request) =>
        request.Objects.List(Ranges, request.Namespace).Select(r => ObjectCodec.ToModel<V1LimitRange>(r.Utf8.Span));
}

using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Storage;

/// <summary>Gives new claims and volumes the finalizer that keeps them while they are in use. Source: upstream's StorageObjectInUseProtection plugin.</summary>
public sealed class StorageObjectInUseProtectionPlugin : IAdmissionPlugin
{
    private static readonly ResourceInfo Claims = ResourceTable.For<V1PersistentVolumeClaim>();
    private static readonly ResourceInfo Volumes = ResourceTable.For<V1PersistentVolume>();

    /// <inheritdoc />
    public string Name => "StorageObjectInUseProtection";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) =>
        request is { Operation: AdmissionOperation.Create, Subresource: "" } && (request.Resource == Claims || request.Resource == Volumes);

    /// <inheritdoc />
    public ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var finalizer = request.Resource == Claims ? "kubernetes.io/pvc-protection" : "kubernetes.io/pv-protection";
        var finalizers = Meta.Finalizers(request.Object!);
        if (!finalizers.Contains(finalizer))
        {
            Meta.SetFinalizers(request.Object!, [.. finalizers, finalizer]);
        }

        return ValueTask.CompletedTask;
    }
}

using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Api.Storage;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Storage;

/// <summary>Gives a new claim without a class the default one: of several the newest, then the first by name. Source: upstream's DefaultStorageClass plugin.</summary>
public sealed class DefaultStorageClassPlugin : IAdmissionPlugin
{
    private static readonly ResourceInfo Claims = ResourceTable.For<V1PersistentVolumeClaim>();
    private static readonly ResourceInfo Classes = ResourceTable.For<V1StorageClass>();

    /// <inheritdoc />
    public string Name => "DefaultStorageClass";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => request is { Operation: AdmissionOperation.Create, Subresource: "" } && request.Resource == Claims;

    /// <inheritdoc />
    public ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var claim = request.Object!;
        if (!DefaultStorageClass.IsNamed((string?)Meta.At(claim, "spec", "storageClassName"), (Meta.At(claim, "metadata", "annotations") as JsonObject ?? []).Select(a => a.Key))
            && DefaultStorageClass.Of(request.Objects.List(Classes).Select(c => ObjectCodec.ToModel<V1StorageClass>(c.Utf8.Span))) is { } found)
        {
            Meta.Child(claim, "spec")["storageClassName"] = found.Metadata.Name;
        }

        return ValueTask.CompletedTask;
    }
}

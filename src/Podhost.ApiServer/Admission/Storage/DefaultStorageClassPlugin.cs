using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Storage;

/// <summary>Gives a new claim without a class the default one: of several the newest, then the first by name. Source: upstream's DefaultStorageClass plugin.</summary>
public sealed class DefaultStorageClassPlugin : IAdmissionPlugin
{
    private const string IsDefault = "storageclass.kubernetes.io/is-default-class";
    private const string ClassAnnotation = "volume.beta.kubernetes.io/storage-class";
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
        if (Meta.At(claim, "spec", "storageClassName") is null && (Meta.At(claim, "metadata", "annotations") as JsonObject)?.ContainsKey(ClassAnnotation) != true)
        {
            var found = request.Objects.List(Classes).Select(c => ObjectCodec.ToModel<V1StorageClass>(c.Utf8.Span))
                .Where(c => c.Metadata.Annotations?.TryGetValue(IsDefault, out var value) == true && value == "true")
                .OrderByDescending(c => c.Metadata.CreationTimestamp).ThenBy(c => c.Metadata.Name, StringComparer.Ordinal)
                .FirstOrDefault();
            if (found is not null)
            {
                Meta.Child(claim, "spec")["storageClassName"] = found.Metadata.Name;
            }
        }

        return ValueTask.CompletedTask;
    }
}

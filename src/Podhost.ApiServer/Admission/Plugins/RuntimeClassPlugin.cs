using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>Applies a RuntimeClass to the pods that name it: overhead, node selector and tolerations. Source: upstream's RuntimeClass plugin.</summary>
public sealed class RuntimeClassPlugin : IAdmissionPlugin
{
    private static readonly ResourceInfo Classes = ResourceTable.For<V1RuntimeClass>();

    /// <inheritdoc />
    public string Name => "RuntimeClass";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => PodAdmission.IsCreation(request);

    /// <inheritdoc />
    public async ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var spec = PodAdmission.Spec(request.Object!);
        if (PodAdmission.Text(spec["runtimeClassName"]) is not { Length: > 0 } name)
        {
            if (spec["overhead"] is JsonObject { Count: > 0 })
            {
                throw ApiException.Forbidden("", "pods", request.Name, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
            }

            return;
        }

        await request.Objects.CatchUpAsync(cancellationToken);
        var runtimeClass = request.Objects.Get(Classes, null, name)?.ToObject()
            ?? throw ApiException.Forbidden("", "pods", request.Name, $"pod rejected: RuntimeClass \"{name}\" not found");
        SetOverhead(request, spec, runtimeClass["overhead"]?["podFixed"] as JsonObject);
        if (runtimeClass["scheduling"] is JsonObject scheduling)
        {
            SetScheduling(request, spec, scheduling);
        }
    }

    private static void SetOverhead(AdmissionRequest request, JsonObject spec, JsonObject? overhead)
    {
        if (spec["overhead"] is JsonObject { Count: > 0 } given && (overhead is null || !JsonNode.DeepEquals(given, overhead)))
        {
            throw ApiException.Forbidden("", "pods", request.Name, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        }

        if (overhead is { Count: > 0 })
        {
            spec["overhead"] = overhead.DeepClone();
        }
    }

    private static void SetScheduling(AdmissionRequest request, JsonObject spec, JsonObject scheduling)
    {
        var selector = spec["nodeSelector"] as JsonObject ?? [];
        foreach (var (key, value) in scheduling["nodeSelector"] as JsonObject ?? [])
        {
            if (selector[key] is { } existing && PodAdmission.Text(existing) != PodAdmission.Text(value))
            {
                throw ApiException.Forbidden("", "pods", request.Name, $"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {existing}");
            }

            selector[key] = value?.DeepClone();
        }

        if (selector.Count > 0)
        {
            spec["nodeSelector"] = selector;
        }

        foreach (var toleration in (scheduling["tolerations"] as JsonArray) ?? [])
        {
            var tolerations = PodAdmission.List(spec, "tolerations");
            if (!tolerations.Any(t => JsonNode.DeepEquals(t, toleration)))
            {
                tolerations.Add(toleration!.DeepClone());
            }
        }
    }
}

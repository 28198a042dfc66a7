using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>Resolves priorityClassName to spec.priority and spec.preemptionPolicy. Source: upstream's Priority plugin.</summary>
public sealed class PriorityPlugin : IAdmissionPlugin
{
    private static readonly ResourceInfo Classes = ResourceTable.For<V1PriorityClass>();

    /// <inheritdoc />
    public string Name => "Priority";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => PodAdmission.IsCreation(request);

    /// <inheritdoc />
    public ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var spec = PodAdmission.Spec(request.Object!);
        var (name, value, policy) = Resolve(request, PodAdmission.Text(spec["priorityClassName"]));
        if (spec["priority"] is { } given && given.GetValue<int>() != value)
        {
            throw ApiException.Forbidden("", "pods", request.Name, "the integer value of priority ("
                + $"{given.GetValue<int>()}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name");
        }

        spec["priority"] = value;
        if (name is not null)
        {
            spec["priorityClassName"] = name;
        }

        if (spec["preemptionPolicy"] is null)
        {
            spec["preemptionPolicy"] = policy;
        }

        return ValueTask.CompletedTask;
    }

    private static (string? Name, int Value, string Policy) Resolve(AdmissionRequest request, string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            var global = request.Objects.List(Classes)
                .Select(o => ObjectCodec.ToModel<V1PriorityClass>(o.Utf8.Span))
                .Where(c => c.GlobalDefault == true)
                .OrderBy(c => c.Value)
                .FirstOrDefault();
            return global is null ? (null, 0, "PreemptLowerPriority") : (global.Metadata.Name, global.Value ?? 0, global.PreemptionPolicy ?? "PreemptLowerPriority");
        }

        var found = request.Objects.Get(Classes, null, name)
            ?? throw ApiException.Forbidden("", "pods", request.Name, $"no PriorityClass with name {name} was found");
        var model = ObjectCodec.ToModel<V1PriorityClass>(found.Utf8.Span);
        return (name, model.Value ?? 0, model.PreemptionPolicy ?? "PreemptLowerPriority");
    }
}

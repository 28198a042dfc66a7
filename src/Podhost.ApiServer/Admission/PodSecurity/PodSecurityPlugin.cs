using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.ApiServer.Admission.Plugins;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>
/// Holds pods to the Pod Security Standards that the labels of their namespace name: refuses, warns, records. Templates of workloads are warned of and
/// recorded, never refused; a namespace's labels are checked. Source: upstream's PodSecurity plugin (pod-security-admission/admission).
/// </summary>
public sealed partial class PodSecurityPlugin(PodSecurityOptions options, ILogger<PodSecurityPlugin> log) : IAdmissionPlugin
{
    private static readonly ResourceInfo Namespaces = ResourceTable.For<V1Namespace>();

    /// <inheritdoc />
    public string Name => "PodSecurity";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) =>
        request.Operation is AdmissionOperation.Create or AdmissionOperation.Update
        && (request.Resource == PodAdmission.Pods ? request.Subresource is "" or "ephemeralcontainers" or "resize"
            : request.Subresource.Length == 0 && (request.Resource == Namespaces || PodTemplates.Has(request.Resource)));

    /// <inheritdoc />
    public ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Resource == Namespaces)
        {
            CheckNamespace(request);
        }
        else if (!options.Namespaces.Contains(request.Namespace) && !options.Usernames.Contains(request.User.Name))
        {
            CheckPods(request);
        }

        return ValueTask.CompletedTask;
    }

    private void CheckNamespace(AdmissionRequest request)
    {
        var name = Meta.Name(request.Object!);
        var wanted = PolicyOf(request.Object, out var errors);
        var former = LevelVersion.Privileged;
        if (request.OldObject is not null)
        {
            former = PolicyOf(request.OldObject, out var before).Enforce;
            errors = errors.Select(e => e.ToString()).SequenceEqual(before.Select(e => e.ToString())) ? [] : errors;
        }

        WriteRules.ThrowIfInvalid(Namespaces, name, errors);
        if (options.Namespaces.Contains(name))
        {
            if (HasLabels(request.Object) && !wanted.IsPrivileged)
            {
                request.Warnings.Add($"namespace \"{name}\" is exempt from Pod Security, and the policy ({wanted}) will be ignored");
            }
        }
        else if (request.OldObject is not null && IsStricter(wanted.Enforce, former))
        {
            foreach (var warning in ExistingPods.Warnings(request.Objects, name, wanted.Enforce, options))
            {
                request.Warnings.Add(warning);
            }
        }
    }

    private static bool IsStricter(LevelVersion now, LevelVersion former) =>
        now != former && now.Level != PolicyLevel.Privileged && !(now.Version == former.Version && now.Level <= former.Level);

    private void CheckPods(AdmissionRequest request)
    {
        var isPod = request.Resource == PodAdmission.Pods;
        var policy = PolicyOf(request.Objects.Get(Namespaces, null, request.Namespace)?.ToObject(), out var errors);
        if (policy.IsPrivileged || (isPod && request.OldObject is not null && !SignificantChange.Is(request.Object!, request.OldObject)))
        {
            return;
        }

        var pod = isPod ? request.Object : PodTemplates.Of(request.Resource, request.Object!);
        if (pod?["spec"] is JsonObject spec && !options.RuntimeClasses.Contains(Meta.Text(spec["runtimeClassName"])))
        {
            if (errors.Count > 0)
            {
                LogFaultyLabels(log, request.Namespace, errors[0].ToString());
            }

            Apply(request, policy, isPod, pod["metadata"] as JsonObject, spec);
        }
    }

    private void Apply(AdmissionRequest request, NamespacePolicy policy, bool enforce, JsonObject? metadata, JsonObject spec)
    {
        var name = Meta.Name(request.Object!) is { Length: > 0 } given ? given : request.Name;
        if (PolicyEvaluator.Evaluate(policy.Audit, metadata, spec) is { Count: > 0 } recorded)
        {
            LogAudit(log, request.User.Name, request.Resource.QualifiedName, request.Namespace, name, policy.Audit.ToString(), PolicyEvaluator.Details(recorded));
        }

        if (enforce && PolicyEvaluator.Evaluate(policy.Enforce, metadata, spec) is { Count: > 0 } refused)
        {
            throw ApiException.Forbidden("", "pods", name, $"violates PodSecurity \"{policy.Enforce}\": {PolicyEvaluator.Details(refused)}");
        }

        if (PolicyEvaluator.Evaluate(policy.Warn, metadata, spec) is { Count: > 0 } warned)
        {
            request.Warnings.Add($"would violate PodSecurity \"{policy.Warn}\": {PolicyEvaluator.Details(warned)}");
        }
    }

    private NamespacePolicy PolicyOf(JsonObject? ns, out IReadOnlyList<FieldError> errors) =>
        NamespacePolicy.Of((ns?["metadata"] as JsonObject)?["labels"] as JsonObject, options.Defaults, out errors);

    private static bool HasLabels(JsonObject? ns) =>
        ((ns?["metadata"] as JsonObject)?["labels"] as JsonObject ?? []).Any(l => l.Key.StartsWith(NamespacePolicy.LabelPrefix, StringComparison.Ordinal));

    [LoggerMessage(EventId = 410, Level = LogLevel.Information, Message =
        "pod-security.kubernetes.io/audit-violations: {Resource} {Namespace}/{Name} of {User} would violate PodSecurity \"{Policy}\": {Details}")]
    private static partial void LogAudit(ILogger log, string user, string resource, string @namespace, string name, string policy, string details);

    [LoggerMessage(EventId = 411, Level = LogLevel.Warning, Message = "pod-security.kubernetes.io/error: failed to parse policy of namespace {Namespace}: {Error}")]
    private static partial void LogFaultyLabels(ILogger log, string @namespace, string error);
}

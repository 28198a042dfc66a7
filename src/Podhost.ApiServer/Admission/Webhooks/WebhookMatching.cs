using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>Which webhooks a request is for, and in which version of its kind. Pure, but for looking up a namespace.</summary>
/// <remarks>Source: apiserver pkg/admission/plugin/webhook/generic, predicates/namespace and predicates/object.</remarks>
internal static class WebhookMatching
{
    private static readonly ResourceInfo Namespaces = ResourceTable.For<V1Namespace>();

    /// <summary>Requests that no webhook sees: a webhook must not be able to keep itself in place.</summary>
    public static bool IsExempt(AdmissionRequest request) => request.Resource.Group == "admissionregistration.k8s.io";

    /// <summary>The version in which a webhook wants to see a request; null where it does not.</summary>
    public static ResourceInfo? Match(Webhook hook, AdmissionRequest request)
    {
        var resource = ByRules(hook, request);
        return resource is not null && MatchesNamespace(hook, request) && MatchesObject(hook, request) ? resource : null;
    }

    private static ResourceInfo? ByRules(Webhook hook, AdmissionRequest request)
    {
        var operation = NameOf(request.Operation);
        var isNamespaced = request.Namespace.Length > 0 && request.Resource.Namespaced;
        bool Wants(ResourceInfo resource) => hook.Rules.Any(r => r.Matches(operation, resource, request.Subresource, isNamespaced));
        if (Wants(request.Resource))
        {
            return request.Resource;
        }

        var stored = request.Resource.StoredAs ?? request.Resource;
        return hook.MatchesEquivalent && request.Resource.Custom?.ConversionWebhook is null
            ? request.Objects.Resources.All.FirstOrDefault(r => ReferenceEquals(r.StoredAs ?? r, stored) && !ReferenceEquals(r, request.Resource) && Wants(r))
            : null;
    }

    private static bool MatchesNamespace(Webhook hook, AdmissionRequest request)
    {
        if (hook.Namespaces.IsEmpty)
        {
            return true;
        }

        if (request.Resource == Namespaces)
        {
            var isWrite = request.Operation is AdmissionOperation.Create or AdmissionOperation.Update && request.Subresource.Length == 0;
            var own = isWrite ? request.Object : request.OldObject;
            return hook.Namespaces.Matches(own?["metadata"]?["labels"] as JsonObject);
        }

        // Objects outside of namespaces are not selected by them.
        return request.Namespace.Length == 0
            || hook.Namespaces.Matches(request.Objects.Get(Namespaces, null, request.Namespace)?.Selectable.Labels);
    }

    private static bool MatchesObject(Webhook hook, AdmissionRequest request) => hook.Objects.IsEmpty
        || (request.Object is { } obj && hook.Objects.Matches(obj["metadata"]?["labels"] as JsonObject))
        || (request.OldObject is { } old && request.Operation != AdmissionOperation.Connect && hook.Objects.Matches(old["metadata"]?["labels"] as JsonObject));

    /// <summary>An operation as reviews and rules name it.</summary>
    public static string NameOf(AdmissionOperation operation) => operation switch
    {
        AdmissionOperation.Create => "CREATE",
        AdmissionOperation.Update => "UPDATE",
        AdmissionOperation.Delete => "DELETE",
        _ => "CONNECT",
    };
}

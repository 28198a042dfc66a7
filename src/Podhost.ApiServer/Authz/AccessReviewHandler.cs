using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Authz;

/// <summary>SubjectAccessReview, its Self and Local forms, SelfSubjectRulesReview and SelfSubjectReview.</summary>
public sealed class AccessReviewHandler(IAuthorizer authorizer, RbacAuthorizer rbac, TimeProvider time) : IReviewHandler
{
    private static readonly HashSet<string> Kinds =
        ["SubjectAccessReview", "SelfSubjectAccessReview", "LocalSubjectAccessReview", "SelfSubjectRulesReview", "SelfSubjectReview"];

    /// <inheritdoc />
    public bool Handles(ResourceInfo resource, string subresource) => subresource.Length == 0 && Kinds.Contains(resource.Kind);

    /// <inheritdoc />
    public async ValueTask<JsonObject> ReviewAsync(ReviewRequest request, CancellationToken cancellationToken)
    {
        switch (request.Resource.Kind)
        {
            case "SelfSubjectAccessReview":
                var self = ObjectCodec.ToModel<V1SelfSubjectAccessReview>(request.Body);
                Check(self.Kind, Attributes(self.Spec?.ResourceAttributes, self.Spec?.NonResourceAttributes));
                self.Status = await DecideAsync(request.User, self.Spec?.ResourceAttributes, self.Spec?.NonResourceAttributes, cancellationToken);
                return ObjectCodec.ToObject(self);
            case "SubjectAccessReview":
                var subject = ObjectCodec.ToModel<V1SubjectAccessReview>(request.Body);
                Check(subject.Kind, [.. Attributes(subject.Spec?.ResourceAttributes, subject.Spec?.NonResourceAttributes), .. Subject(subject.Spec)]);
                subject.Status = await DecideAsync(UserOf(subject.Spec), subject.Spec?.ResourceAttributes, subject.Spec?.NonResourceAttributes, cancellationToken);
                return ObjectCodec.ToObject(subject);
            case "LocalSubjectAccessReview":
                var local = ObjectCodec.ToModel<V1LocalSubjectAccessReview>(request.Body);
                Check(local.Kind, Local(local, request.Namespace));
                local.Status = await DecideAsync(UserOf(local.Spec), local.Spec?.ResourceAttributes, null, cancellationToken);
                return ObjectCodec.ToObject(local);
            case "SelfSubjectRulesReview":
                return Rules(request);
            default:
                return WhoAmI(request);
        }
    }

    private async Task<V1SubjectAccessReviewStatus> DecideAsync(
        UserInfo user, V1ResourceAttributes? resource, V1NonResourceAttributes? path, CancellationToken cancellationToken)
    {
        var attributes = resource is not null
            ? new AuthorizationAttributes(user, resource.Verb ?? "")
            {
                IsResourceRequest = true,
                Group = resource.Group ?? "",
                Version = resource.Version ?? "",
                Resource = resource.Resource ?? "",
                Subresource = resource.Subresource ?? "",
                Namespace = resource.NamespaceProperty ?? "",
                Name = resource.Name ?? "",
            }
            : new AuthorizationAttributes(user, path!.Verb ?? "") { Path = path.Path ?? "" };
        var decision = await authorizer.AuthorizeAsync(attributes, cancellationToken);
        return new V1SubjectAccessReviewStatus
        {
            Allowed = decision.IsAllowed,
            Denied = decision.Verdict == AuthorizationVerdict.Deny ? true : null,
            Reason = decision.Reason.Length > 0 ? decision.Reason : null,
        };
    }

    private static UserInfo UserOf(V1SubjectAccessReviewSpec? spec) => new(spec?.User ?? "", [.. spec?.Groups ?? []]) { Uid = spec?.Uid ?? "" };

    private static void Check(string kind, IReadOnlyList<FieldError> faults)
    {
        if (faults.Count > 0)
        {
            throw ApiException.Invalid("authorization.k8s.io", kind, "", faults);
        }
    }

    private static IReadOnlyList<FieldError> Attributes(V1ResourceAttributes? resource, V1NonResourceAttributes? path) => (resource, path) switch
    {
        (null, null) => [FieldError.Invalid("spec.resourceAttributes", "null", "exactly one of nonResourceAttributes or resourceAttributes must be specified")],
        (not null, not null) =>
            [FieldError.Invalid("spec.nonResourceAttributes", ObjectCodec.ToObject(path).ToJsonString(), "cannot be specified in combination with resourceAttributes")],
        _ => [],
    };

    private static IReadOnlyList<FieldError> Subject(V1SubjectAccessReviewSpec? spec) => string.IsNullOrEmpty(spec?.User) && spec?.Groups is not { Count: > 0 }
        ? [FieldError.InvalidString("spec.user", "", "at least one of user or group must be specified")]
        : [];

    private static List<FieldError> Local(V1LocalSubjectAccessReview review, string ns)
    {
        List<FieldError> faults = [.. Attributes(review.Spec?.ResourceAttributes, review.Spec?.NonResourceAttributes), .. Subject(review.Spec)];
        if (review.Spec?.ResourceAttributes is { } resource && resource.NamespaceProperty != ns)
        {
            faults.Add(FieldError.InvalidString("spec.resourceAttributes.namespace", resource.NamespaceProperty ?? "", "must match metadata.namespace"));
        }

        if (review.Spec?.NonResourceAttributes is not null)
        {
            faults.Add(FieldError.Invalid("spec.nonResourceAttributes", ObjectCodec.ToObject(review.Spec.NonResourceAttributes).ToJsonString(), "disallowed on this kind of request"));
        }

        return faults;
    }

    private JsonObject Rules(ReviewRequest request)
    {
        var review = ObjectCodec.ToModel<V1SelfSubjectRulesReview>(request.Body);
        if (review.Spec?.NamespaceProperty is not { Length: > 0 } ns)
        {
            throw ApiException.BadRequest("no namespace on request");
        }

        var rules = rbac.RulesFor(request.User.Name, request.User.Groups, ns).ToList();
        review.Status = new V1SubjectRulesReviewStatus
        {
            Incomplete = false,
            ResourceRules =
            [
                .. rules.Where(r => r.Resources is { Count: > 0 }).Select(r => new V1ResourceRule
                {
                    ApiGroups = r.ApiGroups, ResourceNames = r.ResourceNames, Resources = r.Resources, Verbs = r.Verbs,
                }),
            ],
            NonResourceRules =
            [
                .. rules.Where(r => r.NonResourceURLs is { Count: > 0 }).Select(r => new V1NonResourceRule { NonResourceURLs = r.NonResourceURLs, Verbs = r.Verbs }),
            ],
        };
        return ObjectCodec.ToObject(review);
    }

    private JsonObject WhoAmI(ReviewRequest request)
    {
        var review = ObjectCodec.ToModel<V1SelfSubjectReview>(request.Body);
        review.Metadata = new V1ObjectMeta { CreationTimestamp = Meta.WholeSeconds(time.GetUtcNow()) };
        review.Status = new V1SelfSubjectReviewStatus
        {
            UserInfo = new V1UserInfo
            {
                Username = request.User.Name,
                Uid = request.User.Uid.Length > 0 ? request.User.Uid : null,
                Groups = [.. request.User.Groups],
                Extra = request.User.Extra.Count > 0
                    ? request.User.Extra.ToDictionary(e => e.Key, e => (IList<string>)[.. e.Value])
                    : null,
            },
        };
        return ObjectCodec.ToObject(review);
    }
}

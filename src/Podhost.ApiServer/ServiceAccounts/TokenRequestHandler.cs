using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.ServiceAccounts;

/// <summary>POST serviceaccounts/NAME/token: a token of the account, bound to a pod, a secret or a node where the request says so.</summary>
public sealed class TokenRequestHandler(TokenCodec codec, IReadOnlyList<string> audiences, IObjectReader objects, TimeProvider time) : IReviewHandler
{
    private const long MinSeconds = 10 * 60;
    private const long MaxSeconds = 1L << 32;
    private const long DefaultSeconds = 60 * 60;
    private static readonly ResourceInfo Accounts = ResourceTable.For<V1ServiceAccount>();
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private static readonly ResourceInfo Secrets = ResourceTable.For<V1Secret>();
    private static readonly ResourceInfo Nodes = ResourceTable.For<V1Node>();

    /// <inheritdoc />
    public bool Handles(ResourceInfo resource, string subresource) => resource == Accounts && subresource == "token";

    /// <inheritdoc />
    public ValueTask<JsonObject> ReviewAsync(ReviewRequest request, CancellationToken cancellationToken)
    {
        var account = ObjectCodec.ToModel<V1ServiceAccount>(request.Parent ?? throw ApiException.NotFound("", "serviceaccounts", request.Name));
        var body = ObjectCodec.ToModel<Authenticationv1TokenRequest>(request.Body);
        var spec = body.Spec ?? new V1TokenRequestSpec();
        spec.Audiences = spec.Audiences is { Count: > 0 } ? spec.Audiences : [.. audiences];
        spec.ExpirationSeconds ??= DefaultSeconds;
        Validate(spec);
        RefuseForeignNode(request, spec);

        var now = time.GetUtcNow();
        var (pod, node, secret) = Bind(spec.BoundObjectRef, request.Namespace, account.Metadata.Name);
        var claims = new TokenClaims(
            request.Namespace,
            new BoundObject(account.Metadata.Name, account.Metadata.Uid),
            [.. spec.Audiences],
            now,
            now.AddSeconds(spec.ExpirationSeconds.Value),
            Guid.NewGuid().ToString(),
            pod,
            node,
            secret);

        body.Metadata ??= new V1ObjectMeta();
        body.Metadata.Name = account.Metadata.Name;
        body.Metadata.NamespaceProperty = request.Namespace;
        body.Metadata.CreationTimestamp = Meta.WholeSeconds(now);
        body.Spec = spec;
        body.Status = new V1TokenRequestStatus { Token = codec.Sign(claims), ExpirationTimestamp = Meta.WholeSeconds(claims.ExpiresAt) };
        return ValueTask.FromResult(ObjectCodec.ToObject(body));
    }

    private static void Validate(V1TokenRequestSpec spec)
    {
        var detail = spec.ExpirationSeconds switch
        {
            < MinSeconds => "may not specify a duration less than 10 minutes",
            > MaxSeconds => "may not specify a duration larger than 2^32 seconds",
            _ => null,
        };
        if (detail is not null)
        {
            throw ApiException.Invalid(
                "authentication.k8s.io", "TokenRequest", "", [FieldError.Invalid("spec.expirationSeconds", $"{spec.ExpirationSeconds}", detail)]);
        }
    }

    // NodeRestriction: a kubelet gets only tokens that are bound to a pod on itself.
    private void RefuseForeignNode(ReviewRequest request, V1TokenRequestSpec spec)
    {
        if (NodeAuthorizer.NodeNameOf(request.User) is not { } node)
        {
            return;
        }

        var reference = spec.BoundObjectRef;
        if (reference?.Kind != "Pod" || reference.Name is null)
        {
            throw ApiException.Forbidden("", "serviceaccounts", request.Name, "node requested token not bound to a pod");
        }

        if (objects.Get(Pods, request.Namespace, reference.Name)?.Selectable.Get("spec.nodeName") != node)
        {
            throw ApiException.Forbidden("", "serviceaccounts", request.Name, "node requested token bound to a pod scheduled on a different node");
        }
    }

    private (BoundObject? Pod, BoundObject? Node, BoundObject? Secret) Bind(V1BoundObjectReference? reference, string ns, string account)
    {
        switch (reference?.Kind)
        {
            case null:
                return default;
            case "Pod":
                var pod = Require(Pods, ns, reference);
                var model = ObjectCodec.ToModel<V1Pod>(pod.Utf8.Span);
                if (model.Spec.ServiceAccountName != account)
                {
                    throw ApiException.BadRequest($"cannot bind token for serviceaccount \"{account}\" to pod running with different serviceaccount name.");
                }

                var node = model.Spec.NodeName is { Length: > 0 } name ? objects.Get(Nodes, null, name) : null;
                return (new BoundObject(reference.Name, model.Metadata.Uid), node is null ? null : Bound(node), null);
            case "Secret":
                return (null, null, Bound(Require(Secrets, ns, reference)));
            case "Node":
                return (null, Bound(Require(Nodes, null, reference)), null);
            default:
                throw ApiException.BadRequest($"cannot bind token to object of type {reference.ApiVersion}, Kind={reference.Kind}");
        }
    }

    private CachedObject Require(ResourceInfo resource, string? ns, V1BoundObjectReference reference)
    {
        var found = objects.Get(resource, ns, reference.Name) ?? throw ApiException.NotFound(resource.Group, resource.Plural, reference.Name);
        var uid = found.Selectable.Get("metadata.uid");
        return reference.Uid is { Length: > 0 } wanted && wanted != uid
            ? throw ApiException.Conflict(
                resource.Group, resource.Plural, reference.Name, $"the UID in the bound object reference ({wanted}) does not match the UID in record. The object might have been deleted and then recreated")
            : found;
    }

    private static BoundObject Bound(CachedObject found) => new(found.Name, found.Selectable.Get("metadata.uid") ?? "");
}

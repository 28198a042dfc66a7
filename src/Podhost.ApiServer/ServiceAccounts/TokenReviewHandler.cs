using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.ServiceAccounts;

/// <summary>TokenReview: whose a bearer token is.</summary>
public sealed class TokenReviewHandler(ITokenReviewer tokens, IObjectReader objects) : IReviewHandler
{
    /// <inheritdoc />
    public bool Handles(ResourceInfo resource, string subresource) => subresource.Length == 0 && resource.Kind == "TokenReview";

    /// <inheritdoc />
    public async ValueTask<JsonObject> ReviewAsync(ReviewRequest request, CancellationToken cancellationToken)
    {
        var review = ObjectCodec.ToModel<V1TokenReview>(request.Body);
        if (review.Spec?.Token is not { Length: > 0 } token)
        {
            throw ApiException.BadRequest("token is required for TokenReview in authentication");
        }

        // A token may be of what was made a moment ago, or is gone since.
        await objects.CatchUpAsync(cancellationToken);
        var result = tokens.Review(token, [.. review.Spec.Audiences ?? []]);
        review.Status = result is not { } valid
            ? new V1TokenReviewStatus { Authenticated = false, Error = "invalid bearer token" }
            : new V1TokenReviewStatus
            {
                Authenticated = true,
                Audiences = [.. valid.Audiences],
                User = new V1UserInfo
                {
                    Username = valid.User.Name,
                    Uid = valid.User.Uid.Length > 0 ? valid.User.Uid : null,
                    Groups = [.. valid.User.Groups],
                    Extra = valid.User.Extra.Count > 0 ? valid.User.Extra.ToDictionary(e => e.Key, e => (IList<string>)[.. e.Value]) : null,
                },
            };
        return ObjectCodec.ToObject(review);
    }
}

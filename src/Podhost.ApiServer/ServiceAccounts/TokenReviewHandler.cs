using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.ServiceAccounts;

/// <summary>TokenReview: whose a bearer token is.</summary>
public sealed class TokenReviewHandler(TokenAuthenticator tokens) : IReviewHandler
{
    /// <inheritdoc />
    public bool Handles(ResourceInfo resource, string subresource) => subresource.Length == 0 && resource.Kind == "TokenReview";

    /// <inheritdoc />
    public ValueTask<JsonObject> ReviewAsync(ReviewRequest request, CancellationToken cancellationToken)
    {
        var review = ObjectCodec.ToModel<V1TokenReview>(request.Body);
        var result = tokens.Review(review.Spec?.Token ?? "", [.. review.Spec?.Audiences ?? []]);
        review.Status = result is not { } valid
            ? new V1TokenReviewStatus { Authenticated = false, Error = "[invalid bearer token]" }
            : new V1TokenReviewStatus
            {
                Authenticated = true,
                Audiences = [.. valid.Audiences],
                User = new V1UserInfo
                {
                    Username = valid.User.Name,
                    Uid = valid.User.Uid,
                    Groups = [.. valid.User.Groups.Where(g => g != Authn.UserInfo.Authenticated)],
                    Extra = valid.User.Extra.ToDictionary(e => e.Key, e => (IList<string>)[.. e.Value]),
                },
            };
        return ValueTask.FromResult(ObjectCodec.ToObject(review));
    }
}

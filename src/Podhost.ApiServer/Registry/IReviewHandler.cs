using System.Text.Json.Nodes;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;

namespace Podhost.ApiServer.Registry;

/// <summary>Answers a POST that stores nothing: the reviews (TokenReview, SubjectAccessReview, …) and serviceaccounts/token.</summary>
public interface IReviewHandler
{
    /// <summary>True where this handler answers POSTs to the resource, or to the subresource of it.</summary>
    bool Handles(ResourceInfo resource, string subresource);

    /// <summary>The answer, normally the body with its status filled in. The body was decoded and defaulted; validate it here.</summary>
    /// <exception cref="Podhost.Api.Errors.ApiException">The request is refused.</exception>
    ValueTask<JsonObject> ReviewAsync(ReviewRequest request, CancellationToken cancellationToken);
}

/// <summary>A POST to a review.</summary>
/// <param name="Resource">The resource of the path.</param>
/// <param name="Subresource">Subresource, empty where none.</param>
/// <param name="Namespace">Namespace of the path, empty where none.</param>
/// <param name="Name">Name of the parent object where a subresource is meant, else empty.</param>
/// <param name="Parent">The stored parent object where a subresource is meant, else null.</param>
/// <param name="Body">The review.</param>
/// <param name="User">Who asks.</param>
public sealed record ReviewRequest(
    ResourceInfo Resource, string Subresource, string Namespace, string Name, JsonObject? Parent, JsonObject Body, UserInfo User);

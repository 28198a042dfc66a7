using System.Net.Http.Headers;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Kubelet.Server;

namespace Podhost.Hosting;

/// <summary>Asks the API server who may use the kubelet's HTTPS API: TokenReview and SubjectAccessReview, as upstream's webhook mode does.</summary>
/// <param name="client">The API server; null (standalone): only the group system:masters may.</param>
internal sealed class KubeletAccessReview(IApiClient? client)
{
    private const string Masters = "system:masters";

    public async Task<bool> AuthorizeAsync(KubeletAccess access, CancellationToken cancellationToken)
    {
        // Allowed everything by every API server's authorizer: no need to ask.
        if (access.User.Groups.Contains(Masters))
        {
            return true;
        }

        if (client is null)
        {
            return false;
        }

        var review = new V1SubjectAccessReview
        {
            ApiVersion = "authorization.k8s.io/v1",
            Kind = "SubjectAccessReview",
            Spec = new V1SubjectAccessReviewSpec
            {
                User = access.User.Name,
                Groups = [.. access.User.Groups],
                ResourceAttributes = new V1ResourceAttributes { Verb = access.Verb, Version = "v1", Resource = "nodes", Subresource = access.Subresource, Name = access.NodeName },
            },
        };
        var answer = await PostAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", review, cancellationToken);
        return answer.Status?.Allowed == true;
    }

    public async Task<KubeletUser?> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        var review = new V1TokenReview { ApiVersion = "authentication.k8s.io/v1", Kind = "TokenReview", Spec = new V1TokenReviewSpec { Token = token } };
        var answer = await PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", review, cancellationToken);
        return answer.Status is { Authenticated: true, User: { } user } ? new KubeletUser(user.Username, [.. user.Groups ?? [], "system:authenticated"]) : null;
    }

    private async Task<T> PostAsync<T>(string path, T body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = new ByteArrayContent(ObjectCodec.ToUtf8(body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await client!.SendAsync(request, cancellationToken);
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return answer.IsSuccessStatusCode ? ObjectCodec.ToModel<T>(bytes) : throw new ApiException(ObjectCodec.ToModel<V1Status>(bytes));
    }
}

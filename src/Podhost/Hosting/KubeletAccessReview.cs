using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Kubelet.Server;

namespace Podhost.Hosting;

/// <summary>Asks the API server who may use the kubelet's HTTPS API: TokenReview and SubjectAccessReview, as upstream's webhook mode does.</summary>
/// <param name="client">The API server; null (standalone): only the group system:masters may, where not everybody may.</param>
/// <param name="settings">Modes, and how long answers hold.</param>
/// <param name="time">The clock of answers.</param>
internal sealed class KubeletAccessReview(IApiClient? client, KubeletAccessSettings settings, TimeProvider time)
{
    private const string Masters = "system:masters";
    private readonly AnswerCache<string, KubeletUser?> _users = new(time);
    private readonly AnswerCache<string, bool> _decisions = new(time);

    public async Task<bool> AuthorizeAsync(KubeletAccess access, CancellationToken cancellationToken)
    {
        // Allowed everything by every API server's authorizer: no need to ask.
        if (settings.AlwaysAllow || access.User.Groups.Contains(Masters))
        {
            return true;
        }

        if (client is null)
        {
            return false;
        }

        var question = string.Join('\n', [access.User.Name, access.Verb, access.Subresource, .. access.User.Groups]);
        if (_decisions.TryGet(question, out var known))
        {
            return known;
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
        var allowed = answer.Status?.Allowed == true;
        _decisions.Keep(question, allowed, allowed ? settings.AllowedLifetime : settings.DeniedLifetime);
        return allowed;
    }

    public async Task<KubeletUser?> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        // What is kept must not hold the token itself.
        var question = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (_users.TryGet(question, out var known))
        {
            return known;
        }

        var review = new V1TokenReview { ApiVersion = "authentication.k8s.io/v1", Kind = "TokenReview", Spec = new V1TokenReviewSpec { Token = token } };
        var answer = await PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", review, cancellationToken);
        if (answer.Status is not { Authenticated: true, User: { } user })
        {
            return null;
        }

        var found = new KubeletUser(user.Username, [.. (user.Groups ?? []).Append("system:authenticated").Distinct()]);
        _users.Keep(question, found, settings.TokenLifetime);
        return found;
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

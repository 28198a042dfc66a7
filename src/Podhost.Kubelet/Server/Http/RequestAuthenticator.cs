using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Podhost.Kubelet.Server.Http;

/// <summary>Finds out who asks: by client certificate, else by bearer token, else it is an anonymous request where these are taken.</summary>
internal sealed class RequestAuthenticator(ClientCertificates certificates, KubeletTokenAuthenticator? tokens, bool anonymous)
{
    private static readonly object CertificateUser = new();

    /// <summary>The user; null where there is none: no valid credentials.</summary>
    public async Task<KubeletUser?> AuthenticateAsync(HttpContext context)
    {
        if (context.Connection.ClientCertificate is { } certificate)
        {
            // Building a chain is dear, and a connection's certificate does not change.
            var items = context.Features.Get<IConnectionItemsFeature>()?.Items;
            if (items is not null && items.TryGetValue(CertificateUser, out var known))
            {
                return (KubeletUser?)known;
            }

            var user = certificates.Authenticate(certificate);
            items?[CertificateUser] = user;
            return user;
        }

        const string Scheme = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            return anonymous ? KubeletUser.Anonymous : null;
        }

        return tokens is not null && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? await tokens(header[Scheme.Length..].Trim(), context.RequestAborted).ConfigureAwait(false)
            : null;
    }
}

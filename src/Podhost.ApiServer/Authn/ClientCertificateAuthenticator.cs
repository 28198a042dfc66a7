using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Podhost.Api.Errors;

namespace Podhost.ApiServer.Authn;

/// <summary>Client certificates of the cluster's authority: the common name is the user, the organizations are the groups.</summary>
/// <param name="authority">The authority whose certificates count.</param>
/// <param name="time">The clock.</param>
public sealed class ClientCertificateAuthenticator(X509Certificate2 authority, TimeProvider time) : IAuthenticator
{
    private const string ClientAuth = "1.3.6.1.5.5.7.3.2";
    private const string CommonNameOid = "2.5.4.3";
    private const string OrganizationOid = "2.5.4.10";

    // A connection keeps its certificate object: the chain is checked once a connection, not once a request.
    private readonly ConditionalWeakTable<X509Certificate2, UserInfo> _known = [];

    /// <inheritdoc />
    public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Connection.ClientCertificate is not { } certificate)
        {
            return ValueTask.FromResult<UserInfo?>(null);
        }

        if (_known.TryGetValue(certificate, out var user) && time.GetUtcNow() < certificate.NotAfter)
        {
            return ValueTask.FromResult<UserInfo?>(user);
        }

        user = Verify(certificate) ?? throw ApiException.Unauthorized();
        _known.AddOrUpdate(certificate, user);
        return ValueTask.FromResult<UserInfo?>(user);
    }

    /// <summary>The user of a certificate, or null where the authority did not issue it for clients or its time is over.</summary>
    public UserInfo? Verify(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = time.GetUtcNow().UtcDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ClientAuth));
        if (!chain.Build(certificate))
        {
            return null;
        }

        string? user = null;
        var groups = new List<string>();
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
            {
                continue;
            }

            switch (part.GetSingleElementType().Value)
            {
                case CommonNameOid:
                    user ??= part.GetSingleElementValue();
                    break;
                case OrganizationOid when part.GetSingleElementValue() is { } group:
                    groups.Add(group);
                    break;
            }
        }

        return user is null ? null : new UserInfo(user, [.. groups, UserInfo.Authenticated]);
    }
}

using Podhost.ApiServer.Authn;

namespace Podhost.ApiServer.Authz;

/// <summary>Decides whether a user may do something.</summary>
public interface IAuthorizer
{
    /// <summary>The decision on one request. Only Allow lets it pass.</summary>
    ValueTask<AuthorizationDecision> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken);
}

/// <summary>What is asked for, in the terms of a SubjectAccessReview.</summary>
/// <param name="User">Who asks.</param>
/// <param name="Verb">get, list, watch, create, update, patch, delete, deletecollection, …; the lower-case HTTP method for a non-resource path.</param>
public sealed record AuthorizationAttributes(UserInfo User, string Verb)
{
    /// <summary>True for a resource of the API, false for a plain path.</summary>
    public bool IsResourceRequest { get; init; }

    /// <summary>Path of the request.</summary>
    public string Path { get; init; } = "";

    /// <summary>API group, empty for the core group.</summary>
    public string Group { get; init; } = "";

    /// <summary>API version.</summary>
    public string Version { get; init; } = "";

    /// <summary>Plural resource name.</summary>
    public string Resource { get; init; } = "";

    /// <summary>Subresource, empty where none.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Namespace, empty for cluster scope and for all namespaces.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Object name, empty for collections.</summary>
    public string Name { get; init; } = "";
}

/// <summary>The outcome of an authorization.</summary>
/// <param name="Verdict">Allow, Deny, or NoOpinion, which the server treats as Deny.</param>
/// <param name="Reason">Why; printed to the client where it was refused.</param>
public readonly record struct AuthorizationDecision(AuthorizationVerdict Verdict, string Reason = "")
{
    /// <summary>True where the request may pass.</summary>
    public bool IsAllowed => Verdict == AuthorizationVerdict.Allow;

    /// <summary>An Allow.</summary>
    public static AuthorizationDecision Allow(string reason = "") => new(AuthorizationVerdict.Allow, reason);

    /// <summary>A Deny, that no other authorizer may turn round.</summary>
    public static AuthorizationDecision Deny(string reason) => new(AuthorizationVerdict.Deny, reason);

    /// <summary>No opinion: another authorizer may allow.</summary>
    public static AuthorizationDecision NoOpinion(string reason = "") => new(AuthorizationVerdict.NoOpinion, reason);
}

/// <summary>Verdict of an authorizer.</summary>
public enum AuthorizationVerdict
{
    /// <summary>This authorizer does not know.</summary>
    NoOpinion,

    /// <summary>Allowed.</summary>
    Allow,

    /// <summary>Refused.</summary>
    Deny,
}

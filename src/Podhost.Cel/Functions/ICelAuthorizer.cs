namespace Podhost.Cel.Functions;

/// <summary>What an expression asks the authorizer.</summary>
/// <param name="ServiceAccount">Namespace and name of the service account that is asked for; null for the user of the request.</param>
/// <param name="Verb">The verb.</param>
/// <param name="Path">A path that is no resource; empty for resources.</param>
public sealed record CelAuthorizationQuery((string Namespace, string Name)? ServiceAccount, string Verb, string Path)
{
    /// <summary>API group.</summary>
    public string Group { get; init; } = "";

    /// <summary>Plural name of the resource.</summary>
    public string Resource { get; init; } = "";

    /// <summary>Subresource or empty.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Namespace or empty.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Name or empty.</summary>
    public string Name { get; init; } = "";
}

/// <summary>The answer.</summary>
public sealed record CelAuthorizationAnswer(bool Allowed, string Reason, string Error = "");

/// <summary>Answers checks of expressions. Calls are made while an expression is evaluated and must not wait long.</summary>
public interface ICelAuthorizer
{
    /// <summary>Whether it is allowed.</summary>
    CelAuthorizationAnswer Check(CelAuthorizationQuery query);
}

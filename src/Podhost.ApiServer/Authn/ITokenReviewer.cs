namespace Podhost.ApiServer.Authn;

/// <summary>Knows bearer tokens of one kind.</summary>
public interface ITokenReviewer
{
    /// <summary>The user of a token and those of the asked audiences that it is for; null where it is unknown, not valid, or for none of them.</summary>
    /// <param name="token">The token, without a scheme.</param>
    /// <param name="audiences">Whom it should be for; empty: the API server.</param>
    TokenReview? Review(string token, IReadOnlyList<string> audiences);
}

/// <summary>A valid token.</summary>
/// <param name="User">Whose it is.</param>
/// <param name="Audiences">Whom it is for, of those that were asked for.</param>
public sealed record TokenReview(UserInfo User, IReadOnlyList<string> Audiences)
{
    /// <summary>A token that names no audience is for the API server: valid where nobody is asked for, or one of the server's own names.</summary>
    public static TokenReview? ForServer(UserInfo user, IReadOnlyList<string> asked, IReadOnlyList<string> server)
    {
        var common = asked.Count > 0 ? [.. server.Intersect(asked)] : server;
        return common.Count > 0 ? new TokenReview(user, common) : null;
    }
}

namespace Podhost.ApiServer.Authn;

/// <summary>Who makes a request.</summary>
/// <param name="Name">User name, for example <c>system:node:n1</c>.</param>
/// <param name="Groups">Groups of the user.</param>
public sealed record UserInfo(string Name, IReadOnlyList<string> Groups)
{
    /// <summary>The name of a request without credentials.</summary>
    public const string AnonymousName = "system:anonymous";

    /// <summary>The group of a request without credentials.</summary>
    public const string Unauthenticated = "system:unauthenticated";

    /// <summary>The group of every request with valid credentials.</summary>
    public const string Authenticated = "system:authenticated";

    /// <summary>The group that may do everything.</summary>
    public const string Masters = "system:masters";

    /// <summary>Unique ID of the user, empty where it has none.</summary>
    public string Uid { get; init; } = "";

    /// <summary>Further facts of the authenticator, for example the pod of a bound token.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>The user of a request without credentials.</summary>
    public static UserInfo Anonymous { get; } = new(AnonymousName, [Unauthenticated]);

    /// <summary>True where the user is in the group.</summary>
    public bool IsIn(string group) => Groups.Contains(group, StringComparer.Ordinal);
}

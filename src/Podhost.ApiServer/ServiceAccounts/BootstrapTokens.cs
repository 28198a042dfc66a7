using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.ServiceAccounts;

/// <summary>
/// Bearer tokens ID.SECRET of Secrets kube-system/bootstrap-token-ID (type bootstrap.kubernetes.io/token): with them a node asks for its first certificate. Source:
/// upstream's plugin/pkg/auth/authenticator/token/bootstrap.
/// </summary>
/// <param name="serverAudiences">Names of the API server.</param>
/// <param name="objects">Has the Secrets.</param>
/// <param name="time">The clock.</param>
public sealed partial class BootstrapTokens(IReadOnlyList<string> serverAudiences, IObjectReader objects, TimeProvider time) : ITokenReviewer
{
    private static readonly ResourceInfo Secrets = ResourceTable.For<V1Secret>();

    /// <inheritdoc />
    public TokenReview? Review(string token, IReadOnlyList<string> audiences) =>
        Token().Match(token) is { Success: true } parts && UserOf(parts.Groups[1].Value, parts.Groups[2].Value) is { } user
            ? TokenReview.ForServer(user, audiences, serverAudiences)
            : null;

    private UserInfo? UserOf(string id, string secret)
    {
        if (objects.Get(Secrets, "kube-system", $"bootstrap-token-{id}") is not { } found)
        {
            return null;
        }

        var stored = ObjectCodec.ToModel<V1Secret>(found.Utf8.Span);
        return stored.Type == "bootstrap.kubernetes.io/token" && stored.Metadata.DeletionTimestamp is null
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(secret), stored.Data?.TryGetValue("token-secret", out var bytes) == true ? bytes : [])
            && Text(stored, "token-id") == id
            && !IsExpired(Text(stored, "expiration"))
            && Text(stored, "usage-bootstrap-authentication") == "true"
            && Groups(Text(stored, "auth-extra-groups")) is { } groups
            ? new UserInfo($"system:bootstrap:{id}", ["system:bootstrappers", .. groups, UserInfo.Authenticated])
            : null;
    }

    // An end that cannot be read has passed.
    private bool IsExpired(string expiration) => expiration.Length > 0
        && !(DateTimeOffset.TryParse(expiration, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) && end > time.GetUtcNow());

    private static IReadOnlyList<string>? Groups(string text)
    {
        var groups = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return groups.All(g => Group().IsMatch(g)) ? groups : null;
    }

    private static string Text(V1Secret secret, string key) => secret.Data?.TryGetValue(key, out var bytes) == true ? Encoding.UTF8.GetString(bytes) : "";

    [GeneratedRegex(@"\A([a-z0-9]{6})\.([a-z0-9]{16})\z")]
    private static partial Regex Token();

    [GeneratedRegex(@"\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\z")]
    private static partial Regex Group();
}

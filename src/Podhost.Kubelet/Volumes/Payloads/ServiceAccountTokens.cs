using System.Collections.Concurrent;
using k8s.Models;
using Podhost.Kubelet.Sources;

namespace Podhost.Kubelet.Volumes.Payloads;

/// <summary>
/// Tokens of service accounts, each kept until it should be renewed: after 80 % of its life or 24 hours. A renewal that fails leaves
/// the old one in use while it is valid.
/// </summary>
internal sealed class ServiceAccountTokens(IObjectSource objects, TimeProvider time)
{
    private const long DefaultLifetimeSeconds = 3600;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(24);

    private readonly ConcurrentDictionary<Key, Token> _tokens = new();

    /// <summary>A token and when to ask again.</summary>
    public async Task<(string Token, DateTimeOffset RenewAt)> GetAsync(
        V1Pod pod, string? audience, long? expirationSeconds, CancellationToken cancellationToken)
    {
        var account = string.IsNullOrEmpty(pod.Spec.ServiceAccountName) ? "default" : pod.Spec.ServiceAccountName;
        var key = new Key(pod.Metadata.Uid, account, audience ?? "", expirationSeconds ?? DefaultLifetimeSeconds);
        var now = time.GetUtcNow();
        _tokens.TryGetValue(key, out var held);
        if (held is not null && now < held.RenewAt)
        {
            return (held.Value, held.RenewAt);
        }

        try
        {
            var status = await objects.CreateTokenAsync(
                pod.Metadata.NamespaceProperty, account, audience, key.ExpirationSeconds, pod, cancellationToken).ConfigureAwait(false);
            var token = Token.From(status, now, key.ExpirationSeconds);
            _tokens[key] = token;
            return (token.Value, token.RenewAt);
        }
        catch (Exception e) when (e is not OperationCanceledException && held is not null && now < held.ExpiresAt)
        {
            return (held.Value, now + RetryAfter);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new PayloadException($"failed to fetch token: {e.Message}");
        }
    }

    /// <summary>Forgets the tokens of a pod.</summary>
    public void Remove(string podUid)
    {
        foreach (var key in _tokens.Keys.Where(k => k.PodUid == podUid))
        {
            _tokens.TryRemove(key, out _);
        }
    }

    private sealed record Key(string PodUid, string Account, string Audience, long ExpirationSeconds);

    private sealed record Token(string Value, DateTimeOffset RenewAt, DateTimeOffset ExpiresAt)
    {
        public static Token From(V1TokenRequestStatus status, DateTimeOffset now, long asked)
        {
            var expires = status.ExpirationTimestamp is { } at
                ? new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc))
                : now.AddSeconds(asked);
            var life = TimeSpan.FromTicks((long)((expires - now).Ticks * 0.8));
            return new Token(status.Token, now + (life < MaxAge ? life : MaxAge), expires);
        }
    }
}

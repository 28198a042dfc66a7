using System.Buffers.Text;
using System.Security.Cryptography;

namespace Podhost.Streaming.Server;

/// <summary>One-time tokens: random, short-lived, bounded in number.</summary>
internal sealed class SessionTokens(TimeSpan lifetime, int capacity, TimeProvider time)
{
    private const int TokenBytes = 24;
    private readonly Lock gate = new();
    private readonly Dictionary<string, (SessionRequest Request, DateTimeOffset Expires)> waiting = [];

    /// <summary>A token for a request.</summary>
    /// <exception cref="StreamingCapacityException">Too many wait already.</exception>
    public string Add(SessionRequest request)
    {
        var now = time.GetUtcNow();
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        lock (gate)
        {
            if (waiting.Count >= capacity)
            {
                RemoveExpired(now);
            }

            if (waiting.Count >= capacity)
            {
                throw new StreamingCapacityException(capacity);
            }

            waiting.Add(token, (request, now + lifetime));
        }

        return token;
    }

    /// <summary>The request of a token, once; null where it is unknown, used or expired.</summary>
    public T? Take<T>(string token)
        where T : SessionRequest
    {
        lock (gate)
        {
            if (!waiting.TryGetValue(token, out var entry) || entry.Request is not T request)
            {
                return null;
            }

            waiting.Remove(token);
            return entry.Expires > time.GetUtcNow() ? request : null;
        }
    }

    private void RemoveExpired(DateTimeOffset now)
    {
        foreach (var token in waiting.Where(p => p.Value.Expires <= now).Select(p => p.Key).ToList())
        {
            waiting.Remove(token);
        }
    }
}

/// <summary>Too many streaming URLs wait for their clients (CRI: ResourceExhausted).</summary>
public sealed class StreamingCapacityException(int capacity)
    : Exception($"maximum number of in-flight streaming requests exceeded ({capacity})");

using System.Net;

namespace Podhost.Runtime.Images.Registry;

/// <summary>When a request is made again, and after which pause.</summary>
internal sealed class RetryPolicy(RegistryOptions options, TimeProvider time, Random random)
{
    public int MaxAttempts => options.MaxAttempts;

    public static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
            or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Waits before the attempt with the given number (the first retry is 1).</summary>
    public Task PauseAsync(int attempt, TimeSpan? retryAfter, CancellationToken cancellationToken)
    {
        var pause = options.BackOff * Math.Pow(2, attempt - 1);
        pause = pause / 2 + pause / 2 * Jitter();
        if (retryAfter > pause)
        {
            pause = retryAfter.Value;
        }

        return Task.Delay(pause < options.MaxBackOff ? pause : options.MaxBackOff, time, cancellationToken);
    }

    private double Jitter()
    {
        lock (random)
        {
            return random.NextDouble();
        }
    }
}

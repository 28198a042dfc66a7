using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Podhost.Streaming.Http;

namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>httpGet: a status of 200 to 399. A connection for each attempt, as upstream does, on bare sockets, which cost a fraction of a client stack.</summary>
internal static class HttpProbe
{
    private const int MaxRedirects = 10;
    private const int MaxBody = 10 * 1024;

    /// <summary>Runs one attempt.</summary>
    public static async Task<ProbeOutcome> RunAsync(HttpProbeRequest request, CancellationToken deadline, CancellationToken caller)
    {
        for (var hop = 0; ; hop++)
        {
            HttpAnswer answer;
            try
            {
                answer = await SendAsync(request, deadline, caller).ConfigureAwait(false);
            }
            catch (Exception e) when (!caller.IsCancellationRequested && Describe(e) is { } reason)
            {
                return ProbeOutcome.Failure($"Get \"{request.Url}\": {reason}");
            }

            if (answer.Location is { } location)
            {
                if (request.Follow(location) is { } next)
                {
                    if (hop + 1 >= MaxRedirects)
                    {
                        return ProbeOutcome.Failure($"Get \"{next.Url}\": stopped after {MaxRedirects} redirects");
                    }

                    request = next;
                    continue;
                }
            }

            return Judge(answer);
        }
    }

    /// <summary>Sends one request and reads the answer with up to 10 KiB of its body.</summary>
    /// <exception cref="IOException">No answer.</exception>
    public static async Task<HttpAnswer> SendAsync(HttpProbeRequest request, CancellationToken deadline, CancellationToken caller)
    {
        using var socket = await Dialer.ConnectAsync(request.Host, request.Port, deadline, caller).ConfigureAwait(false);
        Stream stream = new NetworkStream(socket, ownsSocket: false);
        if (request.Scheme == "https")
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsClientAsync(Unverified(request), deadline).ConfigureAwait(false);
            stream = tls;
        }

        await using (stream.ConfigureAwait(false))
        {
            await stream.WriteAsync(request.Encode(), deadline).ConfigureAwait(false);
            var (head, rest) = await HttpResponseHead.ReadAsync(stream, deadline).ConfigureAwait(false);
            while (head.StatusCode is >= 100 and < 200)
            {
                (head, rest) = await HttpResponseHead.ReadAsync(rest, deadline).ConfigureAwait(false);
            }

            var body = await ReadBodyAsync(head, rest, deadline).ConfigureAwait(false);
            var location = head.StatusCode is 301 or 302 or 303 or 307 or 308 ? head["Location"] : null;
            return new HttpAnswer(head.StatusCode, body, string.IsNullOrEmpty(location) ? null : location);
        }
    }

    /// <summary>What went wrong, as Go's client phrases it; null for what is no failure of the exchange.</summary>
    public static string? Describe(Exception e) => e switch
    {
        DialException => e.Message,
        OperationCanceledException => "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        AuthenticationException => "tls: " + e.Message,
        IOException { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionReset } } => "read: connection reset by peer",
        InvalidDataException when e.Message.Contains("before it answered", StringComparison.Ordinal) => "EOF",
        IOException or InvalidDataException or SocketException => e.Message,
        _ => null,
    };

    private static ProbeOutcome Judge(HttpAnswer answer) => answer.StatusCode switch
    {
        >= 200 and < 300 => ProbeOutcome.Success(answer.Body),
        >= 300 and < 400 => ProbeOutcome.Warning("Probe terminated redirects, Response body: " + answer.Body),
        _ => ProbeOutcome.Failure(string.Create(CultureInfo.InvariantCulture, $"HTTP probe failed with statuscode: {answer.StatusCode}")),
    };

    private static async Task<string> ReadBodyAsync(HttpResponseHead head, Stream stream, CancellationToken deadline)
    {
        if (head["Content-Length"] == "0")
        {
            return "";
        }

        using var body = new BoundedBuffer(MaxBody);
        try
        {
            await HttpResponseBody.CopyAsync(head, stream, body, deadline).ConfigureAwait(false);
        }
        catch (BufferFullException)
        {
            // The rest is of no interest.
        }

        return Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length);
    }

    [SuppressMessage("Security", "CA5359", Justification = "probes do not verify certificates (API reference, HTTPGetAction.scheme)")]
    private static SslClientAuthenticationOptions Unverified(HttpProbeRequest request) => new()
    {
        TargetHost = request.HostHeader?.Split(':')[0] ?? request.Host,
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
    };

    private sealed class BoundedBuffer(int limit) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var room = limit - (int)Length;
            Write(buffer.Span[..Math.Min(room, buffer.Length)]);
            return room <= buffer.Length ? throw new BufferFullException() : ValueTask.CompletedTask;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    private sealed class BufferFullException : Exception;
}

/// <summary>An HTTP answer.</summary>
/// <param name="StatusCode">200 to 599.</param>
/// <param name="Body">Its first 10 KiB.</param>
/// <param name="Location">Where it redirects to, or null.</param>
internal sealed record HttpAnswer(int StatusCode, string Body, string? Location);

using System.Net.Http.Headers;

namespace Podhost.Client.Transport;

/// <summary>Adds a bearer token from a file that is rotated: read again after a minute, as bound tokens change hourly.</summary>
internal sealed class BearerTokenHandler(string file, TimeProvider time, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);
    private const int MaxTokenBytes = 64 * 1024;

    private volatile Read? _last;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(cancellationToken).ConfigureAwait(false));
        return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<string> TokenAsync(CancellationToken cancellationToken)
    {
        if (_last is { } last && time.GetElapsedTime(last.At) < Fresh)
        {
            return last.Token;
        }

        try
        {
            if (new FileInfo(file).Length > MaxTokenBytes)
            {
                throw new HttpRequestException($"the token file {file} is larger than {MaxTokenBytes} bytes");
            }

            var token = (await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)).Trim();
            _last = new Read(token, time.GetTimestamp());
            return token;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Between two links of a volume update the file may be gone for a moment: the last token is still good.
            return _last?.Token ?? throw new HttpRequestException($"the token file {file} cannot be read: {e.Message}", e);
        }
    }

    private sealed record Read(string Token, long At);
}

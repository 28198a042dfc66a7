using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Linux.Files;

namespace Podhost.Kubelet.Certificates;

/// <summary>
/// A certificate in a PEM file (0600, chain and key) that is renewed through the CSR API when seven to nine tenths of its life have passed; at which moment in
/// between is by chance, so that the nodes of a cluster do not all ask at once.
/// </summary>
public sealed partial class CertificateKeeper(string path, CertificateTerms terms, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);
    private volatile X509Certificate2? current;

    /// <summary>The certificate with its key; null as long as there is none that is valid.</summary>
    public X509Certificate2? Current => current;

    /// <summary>Raised with each new certificate.</summary>
    public event Action<X509Certificate2>? Renewed;

    /// <summary>Takes the file's certificate. False where there is none, or it has ended, or is not for these terms.</summary>
    public bool Load()
    {
        try
        {
            var loaded = X509Certificate2.CreateFromPemFile(path);
            var now = time.GetUtcNow().UtcDateTime;
            if (loaded.NotAfter.ToUniversalTime() <= now || loaded.NotBefore.ToUniversalTime() > now || !terms.IsMetBy(loaded))
            {
                return false;
            }

            current = loaded;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return false; // made anew
        }
    }

    /// <summary>Asks until there is a certificate.</summary>
    public async Task ObtainAsync(IApiClient client, CancellationToken cancellationToken)
    {
        for (var pause = RetryAfter; ; pause = pause + pause < LongestRetry ? pause + pause : LongestRetry)
        {
            try
            {
                var pem = await CertificateRequester.GetAsync(client, terms, time, cancellationToken).ConfigureAwait(false);
                Write(pem);
                if (Load())
                {
                    LogIssued(terms.SignerName, current!.NotAfter.ToUniversalTime());
                    Renewed?.Invoke(current);
                    return;
                }

                LogFailed(terms.SignerName, "the certificate that was issued is not what was asked for");
            }
            catch (Exception e) when (e is CertificateRefusedException or TimeoutException or ApiException or HttpRequestException or IOException)
            {
                LogFailed(terms.SignerName, e.Message);
            }

            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Obtains a certificate where there is none, and renews it, until cancelled.</summary>
    public async Task RunAsync(IApiClient client, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (current is { } certificate)
            {
                var wait = RenewalOf(certificate, 0.7 + (0.2 * random.NextDouble())) - time.GetUtcNow();
                await Task.Delay(wait > TimeSpan.Zero ? wait < LongestDelay ? wait : LongestDelay : TimeSpan.Zero, time, cancellationToken).ConfigureAwait(false);
                if (wait > LongestDelay)
                {
                    continue;
                }
            }

            await ObtainAsync(client, cancellationToken).ConfigureAwait(false);
        }
    }

    // Timers do not count further than some weeks.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(20);

    internal static DateTimeOffset RenewalOf(X509Certificate2 certificate, double part)
    {
        var (from, to) = (new DateTimeOffset(certificate.NotBefore.ToUniversalTime()), new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));
        return from + ((to - from) * part);
    }

    private void Write(string pem)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var temporary = path + ".new";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(Encoding.ASCII.GetBytes(pem));
            file.Flush(flushToDisk: true);
        }

        DurableFile.Publish(temporary, path);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Signer} issued a certificate, valid until {End}")]
    private partial void LogIssued(string signer, DateTime end);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No certificate of {Signer} yet, trying again: {Error}")]
    private partial void LogFailed(string signer, string error);
}

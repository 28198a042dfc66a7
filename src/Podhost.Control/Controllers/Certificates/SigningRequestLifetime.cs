using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;

namespace Podhost.Control.Controllers.Certificates;

/// <summary>How long requests stay. Source: upstream's csrcleaner. Pure.</summary>
internal static class SigningRequestLifetime
{
    private static readonly TimeSpan Decided = TimeSpan.FromHours(1);
    private static readonly TimeSpan Pending = TimeSpan.FromHours(24);

    /// <summary>The time that is left to a request: issued or denied ones an hour, others a day, none longer than their certificate.</summary>
    public static TimeSpan? Left(V1CertificateSigningRequest request, DateTimeOffset now)
    {
        var ends = new List<DateTimeOffset>();
        var created = new DateTimeOffset(request.Metadata.CreationTimestamp ?? now.UtcDateTime, TimeSpan.Zero);
        var issued = request.Status?.Certificate is { Length: > 0 };
        var verdict = request.Status?.Conditions?.FirstOrDefault(c => c.Type is "Denied" or "Failed" || (c.Type == "Approved" && issued));
        ends.Add(verdict is null ? created + Pending : new DateTimeOffset(verdict.LastUpdateTime ?? created.UtcDateTime, TimeSpan.Zero) + Decided);
        if (issued && End(request.Status!.Certificate) is { } end)
        {
            ends.Add(end);
        }

        return ends.Min() - now;
    }

    // What cannot be read has no end of its own.
    private static DateTimeOffset? End(byte[] pem)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(pem));
            return new DateTimeOffset(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}

using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using Podhost.Client;

namespace Podhost.Kubelet.Certificates;

/// <summary>Gets a certificate through the CSR API: asks, and waits until it is approved and signed.</summary>
public static class CertificateRequester
{
    // As upstream: a request that nobody decided on is given up and made anew.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Certificate chain and key in PEM, one after the other.</summary>
    /// <exception cref="CertificateRefusedException">It was denied, or could not be signed.</exception>
    /// <exception cref="TimeoutException">Nobody decided within fifteen minutes.</exception>
    public static async Task<string> GetAsync(IApiClient client, CertificateTerms terms, TimeProvider time, CancellationToken cancellationToken)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new V1CertificateSigningRequest
        {
            ApiVersion = "certificates.k8s.io/v1",
            Kind = "CertificateSigningRequest",
            Metadata = new V1ObjectMeta { GenerateName = "csr-" },
            Spec = new V1CertificateSigningRequestSpec { SignerName = terms.SignerName, Usages = [.. terms.Usages], Request = Encoding.ASCII.GetBytes(terms.Request(key)) },
        };
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var made = await client.CreateAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            var certificate = await IssuedAsync(client, made, either.Token).ConfigureAwait(false);
            return Encoding.ASCII.GetString(certificate).TrimEnd() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"certificate request {made.Metadata.Name} ({terms.SignerName}) was not approved within {Patience.TotalMinutes} minutes");
        }
    }

    private static async Task<byte[]> IssuedAsync(IApiClient client, V1CertificateSigningRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (Issued(request) is { } already)
            {
                return already;
            }

            var query = new WatchQuery(request.Metadata.ResourceVersion, FieldSelector: $"metadata.name={request.Metadata.Name}");
            await foreach (var change in client.WatchAsync<V1CertificateSigningRequest>(null, query, cancellationToken).ConfigureAwait(false))
            {
                if (change.Type == WatchEventKind.Deleted)
                {
                    throw new CertificateRefusedException($"certificate request {request.Metadata.Name} was deleted");
                }

                if (change.Type != WatchEventKind.Bookmark && Issued(change.Object) is { } issued)
                {
                    return issued;
                }
            }

            // The server ended the watch.
            request = await client.GetAsync<V1CertificateSigningRequest>(null, request.Metadata.Name, cancellationToken).ConfigureAwait(false);
        }
    }

    private static byte[]? Issued(V1CertificateSigningRequest request) =>
        request.Status?.Conditions?.FirstOrDefault(c => c.Type is "Denied" or "Failed") is { } refusal
            ? throw new CertificateRefusedException($"certificate request {request.Metadata.Name}: {refusal.Type}: {refusal.Reason}: {refusal.Message}")
            : request.Status?.Certificate is { Length: > 0 } certificate ? certificate : null;
}

/// <summary>A certificate that was asked for is not given.</summary>
/// <param name="message">Why.</param>
public sealed class CertificateRefusedException(string message) : Exception(message);

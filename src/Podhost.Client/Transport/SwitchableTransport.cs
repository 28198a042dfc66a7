using System.Security.Cryptography.X509Certificates;

namespace Podhost.Client.Transport;

/// <summary>
/// An HTTPS transport whose client certificate can be replaced. The connections of the former certificate end with it: watches begin anew on those of the
/// next, and a server never sees a certificate that has ended.
/// </summary>
public sealed class SwitchableTransport : HttpMessageHandler
{
    private readonly ClientConfig config;
    private readonly TimeProvider time;
    private volatile HttpMessageInvoker current;

    /// <summary>A transport as a configuration says.</summary>
    public SwitchableTransport(ClientConfig config, TimeProvider time)
    {
        (this.config, this.time) = (config, time);
        current = HttpsTransport.Create(config, time);
    }

    /// <summary>Shows another certificate from now on.</summary>
    public void Use(X509Certificate2 certificate)
    {
        var former = current;
        current = HttpsTransport.Create(config with { ClientCertificate = new ClientCertificate(certificate, []) }, time);
        former.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await current.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectDisposedException e)
        {
            throw new HttpRequestException("the connection ended with its certificate", e);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            current.Dispose();
        }

        base.Dispose(disposing);
    }
}

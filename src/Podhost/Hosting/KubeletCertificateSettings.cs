using Podhost.Configuration;
using static Podhost.Hosting.ConfigurationFields;

namespace Podhost.Hosting;

/// <summary>How a joined kubelet keeps its certificates.</summary>
/// <param name="Rotate">rotateCertificates: the client certificate is renewed before it ends.</param>
/// <param name="ServerBootstrap">serverTLSBootstrap: the serving certificate is asked for through the CSR API.</param>
internal sealed record KubeletCertificateSettings(bool Rotate, bool ServerBootstrap)
{
    /// <summary>The settings of an instance. A certificate that is not renewed ends some day, so renewing is what happens where nothing is said.</summary>
    public static KubeletCertificateSettings Of(PodhostOptions options) => new(
        options.Kubelet?["rotateCertificates"] is not { } rotate || Flag("rotateCertificates", rotate),
        options.Kubelet?["serverTLSBootstrap"] is { } server && Flag("serverTLSBootstrap", server));
}

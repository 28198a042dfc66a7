using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Podhost.Configuration;
using static Podhost.Hosting.ConfigurationFields;

namespace Podhost.Hosting;

/// <summary>Who may use the kubelet's HTTPS API, and what it shows as its certificate: authentication, authorization, tls… of a KubeletConfiguration.</summary>
internal sealed record KubeletAccessSettings
{
    /// <summary>authentication.anonymous.enabled: requests without credentials are those of system:anonymous; else they are refused.</summary>
    public bool Anonymous { get; init; }

    /// <summary>authentication.webhook.enabled: bearer tokens are asked about by TokenReview, where there is an API server.</summary>
    public bool TokenWebhook { get; init; } = true;

    /// <summary>authentication.webhook.cacheTTL.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>authentication.x509.clientCAFile: PEM of the authorities whose client certificates are taken.</summary>
    public string? ClientCaFile { get; init; }

    /// <summary>authorization.mode AlwaysAllow: who is authenticated may everything; else (Webhook) SubjectAccessReview decides.</summary>
    public bool AlwaysAllow { get; init; }

    /// <summary>authorization.webhook.cacheAuthorizedTTL.</summary>
    public TimeSpan AllowedLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>authorization.webhook.cacheUnauthorizedTTL.</summary>
    public TimeSpan DeniedLifetime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>tlsCertFile.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>tlsPrivateKeyFile.</summary>
    public string? KeyFile { get; init; }

    /// <summary>readOnlyPort: plain HTTP, nobody is asked who he is; 0: none.</summary>
    public int ReadOnlyPort { get; init; }

    /// <summary>The settings of an instance.</summary>
    /// <exception cref="ConfigurationException">A field is wrong.</exception>
    public static KubeletAccessSettings Of(PodhostOptions options)
    {
        var result = new KubeletAccessSettings();
        foreach (var (name, value) in options.Kubelet ?? [])
        {
            result = name switch
            {
                "authentication" => Authentication(result, name, value),
                "authorization" => Authorization(result, name, value),
                "tlsCertFile" => result with { CertificateFile = Text(name, value) },
                "tlsPrivateKeyFile" => result with { KeyFile = Text(name, value) },
                "readOnlyPort" => result with { ReadOnlyPort = Number(name, value) is <= 65535 and var port ? port : throw Wrong(name, "a port, 0 for none") },
                _ => result,
            };
        }

        return (result.CertificateFile is null) == (result.KeyFile is null) ? result
            : throw new ConfigurationException("KubeletConfiguration: tlsCertFile and tlsPrivateKeyFile must be given together");
    }

    /// <summary>The authorities of clientCAFile; none where it is not given.</summary>
    /// <exception cref="ConfigurationException">The file cannot be read.</exception>
    public IReadOnlyList<X509Certificate2> ClientAuthorities()
    {
        if (ClientCaFile is null)
        {
            return [];
        }

        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(ClientCaFile);
            return authorities.Count > 0 ? [.. authorities] : throw new ConfigurationException($"authentication.x509.clientCAFile: {ClientCaFile} holds no certificate");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ConfigurationException($"authentication.x509.clientCAFile: {ClientCaFile}: {e.Message}");
        }
    }

    /// <summary>The serving certificate of the files; null where they are not given.</summary>
    /// <exception cref="ConfigurationException">The files cannot be read.</exception>
    public X509Certificate2? Certificate()
    {
        try
        {
            return CertificateFile is { } file ? X509Certificate2.CreateFromPemFile(file, KeyFile) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ConfigurationException($"tlsCertFile: {CertificateFile}: {e.Message}");
        }
    }

    private static KubeletAccessSettings Authentication(KubeletAccessSettings settings, string name, JsonNode? value)
    {
        foreach (var (kind, kindValue) in Object(name, value))
        {
            foreach (var (field, node) in Object($"{name}.{kind}", kindValue))
            {
                var path = $"{name}.{kind}.{field}";
                settings = (kind, field) switch
                {
                    ("anonymous", "enabled") => settings with { Anonymous = Flag(path, node) },
                    ("webhook", "enabled") => settings with { TokenWebhook = Flag(path, node) },
                    ("webhook", "cacheTTL") => settings with { TokenLifetime = Duration(path, node) },
                    ("x509", "clientCAFile") => settings with { ClientCaFile = Text(path, node) is { Length: > 0 } file ? file : null },
                    _ => throw NotSupported(path),
                };
            }
        }

        return settings;
    }

    private static KubeletAccessSettings Authorization(KubeletAccessSettings settings, string name, JsonNode? value)
    {
        foreach (var (field, node) in Object(name, value))
        {
            settings = field switch
            {
                "mode" => Text($"{name}.mode", node) switch
                {
                    "Webhook" => settings with { AlwaysAllow = false },
                    "AlwaysAllow" => settings with { AlwaysAllow = true },
                    _ => throw Wrong($"{name}.mode", "AlwaysAllow or Webhook"),
                },
                "webhook" => Webhook(settings, $"{name}.webhook", node),
                _ => throw NotSupported($"{name}.{field}"),
            };
        }

        return settings;
    }

    private static KubeletAccessSettings Webhook(KubeletAccessSettings settings, string name, JsonNode? value)
    {
        foreach (var (field, node) in Object(name, value))
        {
            settings = field switch
            {
                "cacheAuthorizedTTL" => settings with { AllowedLifetime = Duration($"{name}.{field}", node) },
                "cacheUnauthorizedTTL" => settings with { DeniedLifetime = Duration($"{name}.{field}", node) },
                _ => throw NotSupported($"{name}.{field}"),
            };
        }

        return settings;
    }
}

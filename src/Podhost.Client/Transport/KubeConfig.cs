using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.Api.Yaml;

namespace Podhost.Client.Transport;

/// <summary>Reads kubeconfig files (YAML or JSON).</summary>
public static class KubeConfig
{
    private static readonly string[] RefusedUserFields = ["exec", "auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra"];

    /// <summary>Loads a context of a file; null for its current one.</summary>
    /// <exception cref="ClientConfigException">The file cannot be read, or asks for what is not supported (exec plugins, basic auth, impersonation).</exception>
    public static ClientConfig Load(string path, string? context = null)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ClientConfigException($"kubeconfig {path}: {e.Message}", e);
        }

        try
        {
            return Parse(text, Path.GetDirectoryName(Path.GetFullPath(path))!, context);
        }
        catch (ClientConfigException e)
        {
            throw new ClientConfigException($"kubeconfig {path}: {e.Message}", e.InnerException ?? e);
        }
    }

    /// <summary>Reads a context of a kubeconfig's text; relative file names are relative to <paramref name="directory"/>.</summary>
    /// <exception cref="ClientConfigException">As <see cref="Load"/>.</exception>
    public static ClientConfig Parse(string text, string directory, string? context = null)
    {
        try
        {
            var root = YamlReader.ReadObject(text);
            var name = context ?? Text(root, "current-context") ?? throw new ClientConfigException("current-context is not set and no context was named");
            var chosen = Named(root, "contexts", "context", name);
            var cluster = Named(root, "clusters", "cluster", Required(chosen, "cluster", $"context {name}"));
            var user = Text(chosen, "user") is { Length: > 0 } userName ? Named(root, "users", "user", userName) : [];
            return Build(cluster, user, Text(chosen, "namespace"), new Files(directory));
        }
        catch (YamlException e)
        {
            throw new ClientConfigException(e.Message, e);
        }
        catch (InvalidOperationException e)
        {
            throw new ClientConfigException($"a field has the wrong type: {e.Message}", e);
        }
    }

    private static ClientConfig Build(JsonObject cluster, JsonObject user, string? ns, Files files)
    {
        foreach (var field in RefusedUserFields)
        {
            if (user[field] is not null)
            {
                throw new ClientConfigException($"users[].user.{field} is not supported; use a client certificate, token or tokenFile");
            }
        }

        var server = Required(cluster, "server", "cluster");
        if (!Uri.TryCreate(server, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp))
        {
            throw new ClientConfigException($"clusters[].cluster.server: \"{server}\" is no http or https address");
        }

        var proxy = Text(cluster, "proxy-url");
        return new ClientConfig
        {
            Server = address,
            CertificateAuthorities = Authorities(cluster, files),
            InsecureSkipTlsVerify = cluster["insecure-skip-tls-verify"]?.GetValue<bool>() == true,
            TlsServerName = Text(cluster, "tls-server-name"),
            ClientCertificate = Certificate(user, files),
            Token = Text(user, "token"),
            TokenFile = Text(user, "tokenFile") is { } file ? files.Resolve(file) : null,
            Proxy = string.IsNullOrEmpty(proxy) ? null : new Uri(proxy),
            Namespace = string.IsNullOrEmpty(ns) ? "default" : ns,
        };
    }

    private static X509Certificate2Collection? Authorities(JsonObject cluster, Files files)
    {
        if (files.Pem(cluster, "certificate-authority") is not { } pem)
        {
            return null;
        }

        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(pem);
            return authorities.Count > 0 ? authorities : throw new ClientConfigException("clusters[].cluster.certificate-authority holds no certificate");
        }
        catch (CryptographicException e)
        {
            throw new ClientConfigException($"clusters[].cluster.certificate-authority: {e.Message}", e);
        }
    }

    private static ClientCertificate? Certificate(JsonObject user, Files files)
    {
        var certificate = files.Pem(user, "client-certificate");
        var key = files.Pem(user, "client-key");
        if (certificate is null && key is null)
        {
            return null;
        }

        if (certificate is null || key is null)
        {
            throw new ClientConfigException("users[].user: client-certificate and client-key must be set together");
        }

        try
        {
            return ClientCertificate.FromPem(certificate, key);
        }
        catch (CryptographicException e)
        {
            throw new ClientConfigException($"users[].user.client-certificate: {e.Message}", e);
        }
    }

    private static JsonObject Named(JsonObject root, string list, string field, string name)
    {
        foreach (var item in root[list] as JsonArray ?? [])
        {
            if (item is JsonObject entry && Text(entry, "name") == name)
            {
                return entry[field] as JsonObject ?? [];
            }
        }

        throw new ClientConfigException($"{list} has no entry \"{name}\"");
    }

    private static string? Text(JsonObject obj, string field) => obj[field]?.GetValue<string>();

    private static string Required(JsonObject obj, string field, string where) =>
        Text(obj, field) is { Length: > 0 } value ? value : throw new ClientConfigException($"{where}: {field} is not set");

    /// <summary>PEM in fields: inline (<c>-data</c>, base64) before files.</summary>
    private sealed class Files(string directory)
    {
        internal string Resolve(string path) => Path.GetFullPath(path, directory);

        internal string? Pem(JsonObject obj, string field)
        {
            if (Text(obj, field + "-data") is { Length: > 0 } data)
            {
                try
                {
                    return Encoding.UTF8.GetString(Convert.FromBase64String(data));
                }
                catch (FormatException e)
                {
                    throw new ClientConfigException($"{field}-data is no base64", e);
                }
            }

            if (Text(obj, field) is not { Length: > 0 } path)
            {
                return null;
            }

            try
            {
                return File.ReadAllText(Resolve(path));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ClientConfigException($"{field}: {e.Message}", e);
            }
        }
    }
}

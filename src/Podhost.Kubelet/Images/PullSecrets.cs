using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Sources;

namespace Podhost.Kubelet.Images;

/// <summary>The credentials of a pod's imagePullSecrets (kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg) that fit an image.</summary>
internal sealed class PullSecrets(IObjectSource objects)
{
    private const string DockerHub = "docker.io";

    /// <summary>Fitting credentials, the most specific first. A secret that is missing or broken gives none, as upstream has it.</summary>
    public async Task<IReadOnlyList<PullCredential>> ForAsync(V1Pod pod, string image, CancellationToken cancellationToken)
    {
        var found = new List<(int Weight, PullCredential Credential)>();
        foreach (var reference in pod.Spec?.ImagePullSecrets ?? [])
        {
            var secret = string.IsNullOrEmpty(reference.Name)
                ? null
                : await objects.GetSecretAsync(pod.Metadata.NamespaceProperty, reference.Name, cancellationToken).ConfigureAwait(false);
            foreach (var (key, auth) in Entries(secret))
            {
                var weight = MatchWeight(key, image);
                if (weight > 0)
                {
                    found.Add((weight, new PullCredential(auth, PullSecret.Of(secret!, auth))));
                }
            }
        }

        return [.. found.OrderByDescending(f => f.Weight).Select(f => f.Credential)];
    }

    /// <summary>How well a key of a docker configuration fits an image: 0 for not at all, longer paths weigh more.</summary>
    internal static int MatchWeight(string key, string image)
    {
        var (keyHost, keyPath) = Split(key);
        var (host, path) = ImageNameParts.Split(image);
        if (!HostMatches(keyHost, host) || !(keyPath.Length == 0 || path == keyPath || path.StartsWith(keyPath + "/", StringComparison.Ordinal)))
        {
            return 0;
        }

        return 1 + keyPath.Length;
    }

    /// <summary>The entries of a secret.</summary>
    internal static IEnumerable<(string Key, AuthConfig Auth)> Entries(V1Secret? secret)
    {
        if (secret?.Data is not { } data)
        {
            yield break;
        }

        var auths = data.TryGetValue(".dockerconfigjson", out var modern) ? Parse(modern)?["auths"] as JsonObject
            : data.TryGetValue(".dockercfg", out var old) ? Parse(old)
            : null;
        foreach (var (key, value) in auths ?? [])
        {
            if (value is JsonObject entry && ToAuth(entry) is { } auth)
            {
                yield return (key, auth);
            }
        }
    }

    private static JsonObject? Parse(byte[] utf8)
    {
        try
        {
            return JsonNode.Parse(utf8) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Without server_address, as upstream: MatchWeight has decided, and containerd gives none to a server that is written without a scheme.
    private static AuthConfig? ToAuth(JsonObject entry)
    {
        var auth = new AuthConfig { Username = Text(entry, "username"), Password = Text(entry, "password") };
        if (auth.Username.Length == 0 && Text(entry, "auth") is { Length: > 0 } encoded)
        {
            var buffer = new byte[encoded.Length];
            if (!Convert.TryFromBase64String(encoded.TrimEnd('\0'), buffer, out var length))
            {
                return null;
            }

            var parts = Encoding.UTF8.GetString(buffer, 0, length).Split(':', 2);
            auth.Username = parts[0];
            auth.Password = parts.Length == 2 ? parts[1] : "";
        }

        auth.IdentityToken = Text(entry, "identitytoken");
        return auth.Username.Length > 0 || auth.IdentityToken.Length > 0 ? auth : null;
    }

    private static string Text(JsonObject entry, string name) => entry[name] is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";

    private static (string Host, string Path) Split(string key)
    {
        var rest = key.Contains("://", StringComparison.Ordinal) ? key[(key.IndexOf("://", StringComparison.Ordinal) + 3)..] : key;
        var slash = rest.IndexOf('/');
        var (host, path) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..].Trim('/'));

        // Docker's own index is written with the version of an old API behind it.
        return host is "index.docker.io" or "registry-1.docker.io" ? (DockerHub, path is "v1" or "v2" ? "" : path) : (host, path is "v1" or "v2" ? "" : path);
    }

    /// <summary>Equal hosts, or a pattern in which <c>*</c> stands for a whole label or a part of one; ports are equal.</summary>
    private static bool HostMatches(string pattern, string host)
    {
        var (patternName, patternPort) = Port(pattern);
        var (name, port) = Port(host);
        var patterns = patternName.Split('.');
        var labels = name.Split('.');
        return patternPort == port && patterns.Length == labels.Length && patterns.Zip(labels).All(p => LabelMatches(p.First, p.Second));
    }

    private static bool LabelMatches(string pattern, string label) =>
        pattern.Contains('*', StringComparison.Ordinal)
            ? System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, label)
            : string.Equals(pattern, label, StringComparison.OrdinalIgnoreCase);

    private static (string Name, string Port) Port(string host)
    {
        var colon = host.LastIndexOf(':');
        return colon < 0 ? (host, "") : (host[..colon], host[(colon + 1)..]);
    }
}

/// <summary>What a registry is asked with, and the Secret that it comes from.</summary>
internal sealed record PullCredential(AuthConfig Auth, PullSecret Secret);

/// <summary>Which Secret an image was pulled with.</summary>
/// <param name="Uid">metadata.uid.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Hash">SHA-256 of user, password and token in hexadecimal: the same credential in another Secret is the same right.</param>
internal sealed record PullSecret(string Uid, string Namespace, string Name, string Hash)
{
    public static PullSecret Of(V1Secret secret, AuthConfig auth)
    {
        // Lengths keep the parts apart.
        var text = $"{auth.Username.Length}:{auth.Username}{auth.Password.Length}:{auth.Password}{auth.IdentityToken.Length}:{auth.IdentityToken}";
        return new PullSecret(
            secret.Metadata.Uid ?? "", secret.Metadata.NamespaceProperty ?? "", secret.Metadata.Name ?? "", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }

    /// <summary>True where either is a proof of the other: the same Secret, whatever is in it now, or the same credential.</summary>
    public bool Proves(PullSecret other) => Hash == other.Hash || (Uid.Length > 0 && Uid == other.Uid && Namespace == other.Namespace && Name == other.Name);
}

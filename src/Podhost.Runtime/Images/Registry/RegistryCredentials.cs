using System.Text;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Images.Registry;

/// <summary>How to prove to a registry who pulls. Its text never shows a secret.</summary>
internal sealed record RegistryCredentials(string Username, string Password, string IdentityToken, string RegistryToken)
{
    public static RegistryCredentials None { get; } = new("", "", "", "");

    public bool HasPassword => Username.Length > 0;

    /// <summary>CRI's AuthConfig, as containerd reads it: an address of another registry makes it void.</summary>
    /// <exception cref="ImageException">The auth field is not base64 of user:password.</exception>
    public static RegistryCredentials From(AuthConfig? auth, string domain)
    {
        if (auth is null || (auth.ServerAddress.Length > 0 && Host(auth.ServerAddress) != domain && !IsDockerHub(auth.ServerAddress, domain)))
        {
            return None;
        }

        var (username, password) = (auth.Username, auth.Password);
        if (username.Length == 0 && auth.Auth.Length > 0)
        {
            (username, password) = Decode(auth.Auth);
        }

        return new RegistryCredentials(username, password, auth.IdentityToken, auth.RegistryToken);
    }

    public string BasicParameter() => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}"));

    /// <inheritdoc/>
    public override string ToString() => HasPassword ? $"user {Username}" : "no user";

    private static string Host(string address)
    {
        var start = address.IndexOf("://", StringComparison.Ordinal);
        var host = start < 0 ? address : address[(start + 3)..];
        return host.Split('/')[0];
    }

    private static bool IsDockerHub(string address, string domain) =>
        domain == "docker.io" && Host(address) is "index.docker.io" or "registry-1.docker.io";

    private static (string Username, string Password) Decode(string auth)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(auth)).TrimEnd('\0');
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                return (text[..colon], text[(colon + 1)..]);
            }
        }
        catch (FormatException)
        {
            // Told below; the content must not get into a message.
        }

        throw new ImageException(ImageError.Invalid, "invalid auth: not base64 of user:password");
    }
}

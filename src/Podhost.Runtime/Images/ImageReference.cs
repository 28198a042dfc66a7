namespace Podhost.Runtime.Images;

/// <summary>
/// A parsed and completed image reference, by the grammar of github.com/distribution/reference: [domain/]path[:tag][@digest].
/// Short names get docker.io and library/, a name without tag and digest gets the tag latest.
/// </summary>
public sealed record ImageReference
{
    private const string DefaultDomain = "docker.io";
    private const string DefaultTag = "latest";
    private const int MaxNameLength = 255;
    private const int MaxTagLength = 128;

    private ImageReference(string domain, string path, string? tag, string? digest)
    {
        Domain = domain;
        Path = path;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The registry: host or host:port.</summary>
    public string Domain { get; }

    /// <summary>The repository in the registry.</summary>
    public string Path { get; }

    /// <summary>The tag; null where only a digest was given.</summary>
    public string? Tag { get; }

    /// <summary>"sha256:…" or null.</summary>
    public string? Digest { get; }

    /// <summary>domain/path.</summary>
    public string Name => $"{Domain}/{Path}";

    /// <summary>What the registry is asked for: the digest before the tag.</summary>
    public string Identifier => Digest ?? Tag!;

    /// <summary>The full reference; a digest hides the tag beside it, as in image records.</summary>
    public string Canonical => Digest is null ? $"{Name}:{Tag}" : $"{Name}@{Digest}";

    /// <summary>Parses a reference that a user wrote.</summary>
    /// <exception cref="FormatException">The text is no reference; the message is the one of the reference grammar's library.</exception>
    public static ImageReference Parse(string text) =>
        TryParse(text, out var reference, out var error) ? reference : throw new FormatException(error);

    /// <summary>Parses a reference that a user wrote; on failure error says why.</summary>
    public static bool TryParse(
        string text,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ImageReference? reference,
        out string error)
    {
        reference = null;
        error = "invalid reference format";
        if (text.Length is 0 or > MaxNameLength + MaxTagLength + 80)
        {
            return false;
        }

        if (IsBareId(text))
        {
            error = $"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings";
            return false;
        }

        var (name, tag, digest) = Split(text);
        if ((digest is not null && !Images.Digest.IsValid(digest)) || (tag is not null && !IsTag(tag)))
        {
            return false;
        }

        var (domain, path) = Complete(name);
        if (path.Any(char.IsAsciiLetterUpper))
        {
            error = "invalid reference format: repository name (" + path + ") must be lowercase";
            return false;
        }

        if (!IsDomain(domain) || !IsPath(path))
        {
            return false;
        }

        if (domain.Length + 1 + path.Length > MaxNameLength)
        {
            error = $"repository name must not be more than {MaxNameLength} characters";
            return false;
        }

        reference = new ImageReference(domain, path, tag ?? (digest is null ? DefaultTag : null), digest);
        return true;
    }

    /// <summary>The same repository by digest.</summary>
    public ImageReference WithDigest(string digest) => new(Domain, Path, null, digest);

    /// <inheritdoc/>
    public override string ToString() => Canonical;

    private static bool IsBareId(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    private static (string Name, string? Tag, string? Digest) Split(string text)
    {
        string? digest = null;
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            digest = text[(at + 1)..];
            text = text[..at];
        }

        // A colon before the last slash belongs to a port.
        var colon = text.LastIndexOf(':');
        return colon > text.LastIndexOf('/') ? (text[..colon], text[(colon + 1)..], digest) : (text, null, digest);
    }

    private static (string Domain, string Path) Complete(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        var isDomain = first.Length > 0
            && (first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal)
                || first == "localhost" || first.Any(char.IsAsciiLetterUpper));
        var (domain, path) = isDomain ? (first, name[(slash + 1)..]) : (DefaultDomain, name);
        if (domain == "index.docker.io")
        {
            domain = DefaultDomain;
        }

        return domain == DefaultDomain && !path.Contains('/', StringComparison.Ordinal) ? (domain, "library/" + path) : (domain, path);
    }

    private static bool IsTag(string tag) =>
        tag.Length is > 0 and <= MaxTagLength
        && (char.IsAsciiLetterOrDigit(tag[0]) || tag[0] == '_')
        && tag.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    private static bool IsDomain(string domain)
    {
        var host = domain;
        var end = domain.StartsWith('[') ? domain.IndexOf(']', StringComparison.Ordinal) : -1;
        var colon = domain.IndexOf(':', Math.Max(end, 0));
        if (colon >= 0)
        {
            host = domain[..colon];
            if (!ushort.TryParse(domain.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out var port) || port == 0)
            {
                return false;
            }
        }

        if (end >= 0)
        {
            return end == host.Length - 1 && System.Net.IPAddress.TryParse(host[1..end], out var address)
                && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        }

        return host.Split('.').All(label => label.Length > 0 && label[0] != '-' && label[^1] != '-'
            && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
    }

    private static bool IsPath(string path) => path.Split('/').All(IsPathComponent);

    // Letters and digits, separated by one '.', one or two '_', or any number of '-'.
    private static bool IsPathComponent(string component)
    {
        var position = 0;
        while (true)
        {
            var start = position;
            while (position < component.Length && (char.IsAsciiLetterLower(component[position]) || char.IsAsciiDigit(component[position])))
            {
                position++;
            }

            if (position == start)
            {
                return false;
            }

            if (position == component.Length)
            {
                return true;
            }

            var separator = position;
            while (position < component.Length && component[position] == component[separator])
            {
                position++;
            }

            var length = position - separator;
            var fits = component[separator] switch { '.' => length == 1, '_' => length <= 2, '-' => true, _ => false };
            if (!fits)
            {
                return false;
            }
        }
    }
}

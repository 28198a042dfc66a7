namespace Podhost.Storage.Etcd;

/// <summary>Where etcd is, and which keys are ours.</summary>
public sealed record EtcdStoreOptions
{
    /// <summary>The client address, http or https.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>Our keys are <c>PREFIX/KEY</c>; nothing else is read or written.</summary>
    public string Prefix { get; init; } = "/podhost";

    /// <summary>PEM file of the authorities that may have signed the server's certificate; null for the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM file of the client certificate; null for none.</summary>
    public string? CertFile { get; init; }

    /// <summary>PEM file of the client certificate's key.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Longest time that one request may take.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most events buffered for one watcher before it is served from etcd's history instead.</summary>
    public int WatchBufferEvents { get; init; } = 4096;

    /// <summary>Reads <c>URL[?prefix=…&amp;cacert=…&amp;cert=…&amp;key=…]</c>.</summary>
    /// <exception cref="ArgumentException">No such URL, or an option that is not known.</exception>
    public static EtcdStoreOptions Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException($"etcd: \"{text}\" is no http or https URL (one endpoint; put a load balancer before several)", nameof(text));
        }

        var options = new EtcdStoreOptions { Endpoint = new Uri(uri.GetLeftPart(UriPartial.Authority)) };
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            var value = Uri.UnescapeDataString(parts.Length == 2 ? parts[1] : "");
            options = parts[0] switch
            {
                "prefix" when value.Trim('/').Length > 0 => options with { Prefix = "/" + value.Trim('/') },
                "cacert" => options with { CaFile = value },
                "cert" => options with { CertFile = value },
                "key" => options with { KeyFile = value },
                _ => throw new ArgumentException($"etcd: the option \"{pair}\" is not known; use prefix, cacert, cert, key", nameof(text)),
            };
        }

        return (options.CertFile is null) == (options.KeyFile is null)
            ? options
            : throw new ArgumentException("etcd: cert and key must be given together", nameof(text));
    }
}

namespace Podhost.Kubelet.Containers.Sandbox;

/// <summary>The node's resolver configuration.</summary>
internal sealed record ResolvConf(IReadOnlyList<string> Servers, IReadOnlyList<string> Searches, IReadOnlyList<string> Options)
{
    public const int MaxBytes = 10 * 1024 * 1024;

    public static ResolvConf Empty { get; } = new([], [], []);

    /// <summary>Parses resolv.conf: nameserver lines add up, of search and options lines the last counts.</summary>
    /// <exception cref="FormatException">A nameserver line without an address.</exception>
    public static ResolvConf Parse(string text)
    {
        var servers = new List<string>();
        IReadOnlyList<string> searches = [];
        IReadOnlyList<string> options = [];
        foreach (var line in text.Split('\n'))
        {
            var fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            switch (fields.Length == 0 ? "" : fields[0])
            {
                case "nameserver":
                    servers.Add(fields.Length >= 2 ? fields[1] : throw new FormatException("nameserver list is empty"));
                    break;
                case "search":
                    // With and without the trailing dot is one domain; the limits count domains.
                    searches = [.. fields[1..].Select(s => s.EndsWith('.') ? s[..^1] : s)];
                    break;
                case "options":
                    options = fields[1..];
                    break;
            }
        }

        return new ResolvConf(servers, searches, options);
    }
}

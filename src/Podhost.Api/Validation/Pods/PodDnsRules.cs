namespace Podhost.Api.Validation.Pods;

/// <summary>Name resolution and host names of a pod.</summary>
internal static class PodDnsRules
{
    // What libc's resolver takes.
    private const int MaxNameservers = 3;
    private const int MaxSearches = 32;
    private const int MaxSearchCharacters = 2048;
    private const int MaxHostname = 64;

    public static void Check(Field spec)
    {
        spec["dnsPolicy"].RequiredOneOf("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None");
        CheckConfig(spec["dnsConfig"], spec["dnsPolicy"].Text);
        spec["hostname"].CheckIfSet(Names.DnsLabel);
        spec["subdomain"].CheckIfSet(Names.DnsLabel);
        CheckOverride(spec);
        foreach (var alias in spec["hostAliases"].Items)
        {
            alias["ip"].Check(Names.Ip);
            foreach (var name in alias["hostnames"].Items)
            {
                name.Check(Names.DnsSubdomain);
            }
        }
    }

    private static void CheckConfig(Field config, string policy)
    {
        if (policy == "None")
        {
            if (!config.IsSet)
            {
                config.Required("must provide `dnsConfig` when `dnsPolicy` is None");
                return;
            }

            if (config["nameservers"].Count == 0)
            {
                config["nameservers"].Required("must provide at least one DNS nameserver when `dnsPolicy` is None");
                return;
            }
        }

        CheckServers(config["nameservers"]);
        CheckSearches(config["searches"]);
        foreach (var option in config["options"].Items)
        {
            if (option["name"].Text.Length == 0)
            {
                option.Required("must not be empty");
            }
        }
    }

    private static void CheckServers(Field servers)
    {
        if (servers.Count > MaxNameservers)
        {
            servers.Invalid($"must not have more than {MaxNameservers} nameservers");
        }

        foreach (var server in servers.Items)
        {
            server.Check(Names.Ip);
        }
    }

    private static void CheckSearches(Field searches)
    {
        if (searches.Count > MaxSearches)
        {
            searches.Invalid($"must not have more than {MaxSearches} search paths");
        }

        if (searches.Items.Sum(s => s.Text.Length + 1) - 1 > MaxSearchCharacters)
        {
            searches.Invalid($"must not have more than {MaxSearchCharacters} characters (including spaces) in the search list");
        }

        foreach (var search in searches.Items.Where(s => s.Text != "."))
        {
            search.Check(search.Text.EndsWith('.') ? search.Text[..^1] : search.Text, Names.DnsSubdomainWithUnderscore);
        }
    }

    private static void CheckOverride(Field spec)
    {
        var name = spec["hostnameOverride"];
        if (!name.IsSet)
        {
            return;
        }

        if (spec["setHostnameAsFQDN"].Flag)
        {
            name.Forbidden("may not be specified when setHostnameAsFQDN is true");
        }

        if (spec["hostNetwork"].Flag)
        {
            name.Forbidden("may not be specified when hostNetwork is true");
        }

        name.Check(Names.DnsSubdomain);
        if (name.Text.Length > MaxHostname)
        {
            name.TooLong(MaxHostname);
        }
    }
}

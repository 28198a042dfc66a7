using k8s.Models;
using Podhost.Cri.V1;

namespace Podhost.Kubelet.Containers.Sandbox;

/// <summary>The resolver configuration of a pod from dnsPolicy and dnsConfig, within the resolver's limits.</summary>
internal static class DnsRules
{
    private const int MaxNameservers = 3;
    private const int MaxSearches = 32;
    private const int MaxSearchCharacters = 2048;
    private const int MaxSearchLength = 253;

    /// <summary>A configuration and the warnings to record as events (reason, message).</summary>
    internal sealed record Result(DNSConfig Config, IReadOnlyList<(string Reason, string Message)> Warnings);

    /// <summary>Decides.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="node">The node's resolver configuration; null where lookups are switched off.</param>
    /// <param name="options">Nameservers and domain of the cluster.</param>
    public static Result Of(V1Pod pod, ResolvConf? node, ContainerConfigOptions options)
    {
        var warnings = new List<(string, string)>();
        var config = Base(pod, node, options, warnings);
        if (pod.Spec.DnsConfig is { } own)
        {
            config = new ResolvConf(
                [.. config.Servers.Concat(own.Nameservers ?? []).Distinct(StringComparer.Ordinal)],
                [.. config.Searches.Concat(own.Searches ?? []).Distinct(StringComparer.Ordinal)],
                MergeOptions(config.Options, own.Options ?? []));
        }

        var result = new DNSConfig();
        result.Servers.AddRange(LimitServers(config.Servers, warnings));
        result.Searches.AddRange(LimitSearches(config.Searches, warnings));
        result.Options.AddRange(config.Options);
        return new Result(result, warnings);
    }

    private static ResolvConf Base(V1Pod pod, ResolvConf? node, ContainerConfigOptions options, List<(string, string)> warnings)
    {
        var policy = pod.Spec.DnsPolicy ?? "ClusterFirst";
        if (policy == "None")
        {
            return ResolvConf.Empty;
        }

        var clusterFirst = policy == "ClusterFirstWithHostNet" || (policy == "ClusterFirst" && pod.Spec.HostNetwork != true);
        if (clusterFirst && options.ClusterDns.Count > 0)
        {
            return new ResolvConf([.. options.ClusterDns], ClusterSearches(pod, node, options.ClusterDomain), ["ndots:5"]);
        }

        if (clusterFirst)
        {
            warnings.Add(("MissingClusterDNS",
                $"pod: \"{PodNames.Format(pod)}\". kubelet does not have ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" policy. Falling back to \"Default\" policy."));
        }

        // Without a file: the resolver asks the local machine and appends no domain.
        return node ?? new ResolvConf(["127.0.0.1"], ["."], []);
    }

    private static IReadOnlyList<string> ClusterSearches(V1Pod pod, ResolvConf? node, string domain)
    {
        var ofNode = node?.Searches ?? [];
        return domain.Length == 0
            ? ofNode
            : [.. new[] { $"{pod.Metadata.NamespaceProperty}.svc.{domain}", $"svc.{domain}", domain }.Concat(ofNode).Distinct(StringComparer.Ordinal)];
    }

    private static List<string> MergeOptions(IReadOnlyList<string> options, IList<V1PodDNSConfigOption> own)
    {
        var merged = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in options)
        {
            var colon = option.IndexOf(':', StringComparison.Ordinal);
            merged[colon < 0 ? option : option[..colon]] = colon < 0 ? "" : option[(colon + 1)..];
        }

        foreach (var option in own)
        {
            merged[option.Name] = option.Value ?? "";
        }

        return [.. merged.Select(o => o.Value.Length == 0 ? o.Key : $"{o.Key}:{o.Value}")];
    }

    private static IReadOnlyList<string> LimitServers(IReadOnlyList<string> servers, List<(string, string)> warnings)
    {
        if (servers.Count <= MaxNameservers)
        {
            return servers;
        }

        IReadOnlyList<string> kept = [.. servers.Take(MaxNameservers)];
        warnings.Add(("DNSConfigForming",
            $"Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: {string.Join(' ', kept)}"));
        return kept;
    }

    private static List<string> LimitSearches(IReadOnlyList<string> searches, List<(string, string)> warnings)
    {
        var kept = searches.Take(MaxSearches).Where(s => s.Length <= MaxSearchLength).ToList();
        while (kept.Count > 0 && kept.Sum(s => s.Length + 1) - 1 > MaxSearchCharacters)
        {
            kept.RemoveAt(kept.Count - 1);
        }

        if (kept.Count < searches.Count)
        {
            warnings.Add(("DNSConfigForming",
                $"Search Line limits were exceeded, some search paths have been omitted, the applied search line is: {string.Join(' ', kept)}"));
        }

        return kept;
    }
}

using System.Net;
using System.Text.Json.Nodes;
using Podhost.Api.Quantities;
using Podhost.Api.Yaml;
using Podhost.ApiServer.Admission.PodSecurity;

namespace Podhost.Configuration;

/// <summary>
/// The YAML configuration file: a PodhostConfiguration (podhost.io/v1alpha1), a KubeletConfiguration (kubelet.config.k8s.io/v1beta1), a
/// PodSecurityConfiguration (pod-security.admission.config.k8s.io/v1), or several of them as documents of their own. Unknown fields are refused by name.
/// </summary>
internal static class ConfigurationFile
{
    private const string PodhostKind = "PodhostConfiguration";
    private const string KubeletKind = "KubeletConfiguration";
    private const string PodSecurityKind = "PodSecurityConfiguration";

    public static PodhostOptions Read(string path, PodhostOptions defaults)
    {
        try
        {
            return Parse(File.ReadAllText(path), defaults);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or YamlException)
        {
            throw new ConfigurationException($"{path}: {e.Message}");
        }
        catch (ConfigurationException e)
        {
            throw new ConfigurationException($"{path}: {e.Message}");
        }
    }

    public static PodhostOptions Parse(string yaml, PodhostOptions defaults)
    {
        var options = defaults;
        foreach (var document in YamlReader.ReadAll(yaml))
        {
            if (document is not JsonObject o)
            {
                throw new ConfigurationException("a document is not an object");
            }

            options = Text(o, "kind") switch
            {
                PodhostKind => Apply(o, options),
                KubeletKind => options with { Kubelet = o },
                PodSecurityKind => options with { PodSecurity = PodSecurity(o) },
                var kind => throw new ConfigurationException(
                    $"kind: Unsupported value: \"{kind}\": supported values: \"{KubeletKind}\", \"{PodSecurityKind}\", \"{PodhostKind}\""),
            };
        }

        return options;
    }

    private static PodhostOptions Apply(JsonObject document, PodhostOptions options)
    {
        foreach (var (name, node) in document)
        {
            options = name switch
            {
                "apiVersion" or "kind" => options,
                "dataDir" => options with { DataDir = Text(document, name) },
                "runDir" => options with { RunDir = Text(document, name) },
                "podLogsDir" => options with { PodLogsDir = Text(document, name) },
                "bindAddress" => options with { BindAddressGiven = OptionParsing.Address(name, Text(document, name)) },
                "securePort" => options with { SecurePort = Number(document, name) },
                "kubeletPort" => options with { KubeletPort = Number(document, name) },
                "nodeName" => options with { NodeName = Text(document, name) },
                "nodeIP" => options with { NodeIPs = OptionParsing.Addresses(name, Text(document, name)) },
                "bridge" => options with { Bridge = Text(document, name) },
                "podCIDR" => options with { PodCidrs = OptionParsing.Networks(name, Text(document, name)), PodCidrGiven = true },
                "podCIDRFromNode" => options with { PodCidrFromNode = Flag(document, name) },
                "allocateNodeCIDRs" => options with { AllocateNodeCidrs = Flag(document, name) },
                "nodeCIDRMaskSize" => options with { NodeCidrMaskSize = Number(document, name) },
                "nodeCIDRMaskSizeIPv6" => options with { NodeCidrMaskSizeIPv6 = Number(document, name) },
                "serviceCIDR" => options with { ServiceCidrsGiven = OptionParsing.Networks(name, Text(document, name)) },
                "clusterDomain" => options with { ClusterDomain = Text(document, name) },
                "clusterDNS" => options with { ClusterDns = OptionParsing.Addresses(name, Text(document, name)) },
                "cgroupRoot" => options with { CgroupRoot = Text(document, name) },
                "podManifestPath" => options with { PodManifestPath = Text(document, name) },
                "staticPodObjects" => options with { StaticPodObjects = Flag(document, name) },
                "podInfraContainerImage" => options with { PodInfraContainerImage = Text(document, name) },
                "containerRuntimeEndpoint" => options with { ContainerRuntimeEndpoint = Text(document, name) },
                "serviceProxy" => options with { ServiceProxy = Flag(document, name) },
                "criSocket" => options with { CriSocket = Text(document, name) },
                "cniConfDir" => options with { CniConfDir = Text(document, name) },
                "cniBinDir" => options with { CniBinDir = Text(document, name) },
                "nodeMonitorGracePeriod" => options with { NodeMonitorGracePeriod = OptionParsing.Duration(name, Text(document, name)) },
                "tokenAuthFile" => options with { TokenAuthFile = Text(document, name) },
                "store" => options with { Store = Text(document, name) },
                "logLevel" => options with { LogLevel = Text(document, name) },
                "registries" => options with { Registries = Registries(node) },
                "kubelet" => options with { Kubelet = (node as JsonObject)?.DeepClone() as JsonObject ?? throw Wrong(name, "an object") },
                _ => throw new ConfigurationException($"unknown field \"{name}\""),
            };
        }

        return options;
    }

    private static PodSecurityOptions PodSecurity(JsonObject document)
    {
        try
        {
            return PodSecurityOptions.Parse(document);
        }
        catch (FormatException e)
        {
            throw new ConfigurationException($"{PodSecurityKind}: {e.Message}");
        }
    }

    private static Dictionary<string, RegistryOptions> Registries(JsonNode? node)
    {
        var result = new Dictionary<string, RegistryOptions>();
        foreach (var (host, value) in node as JsonObject ?? throw Wrong("registries", "an object"))
        {
            var entry = value as JsonObject ?? throw Wrong($"registries.{host}", "an object");
            foreach (var (field, _) in entry)
            {
                if (field is not ("mirrors" or "insecure" or "certs"))
                {
                    throw new ConfigurationException($"unknown field \"registries.{host}.{field}\"");
                }
            }

            var mirrors = entry["mirrors"] is JsonArray list
                ? list.Select(m => m is JsonValue v && v.TryGetValue<string>(out var s) ? s : throw Wrong($"registries.{host}.mirrors", "a list of strings"))
                : [];
            var certs = entry["certs"] is null ? null
                : entry["certs"] is JsonValue path && path.TryGetValue<string>(out var directory) && Path.IsPathRooted(directory) ? directory
                : throw Wrong($"registries.{host}.certs", "an absolute path");
            result[host] = new RegistryOptions([.. mirrors], entry["insecure"] is JsonValue flag && flag.TryGetValue<bool>(out var insecure) && insecure, certs);
        }

        return result;
    }

    private static string Text(JsonObject from, string name) =>
        from[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : throw Wrong(name, "a string");

    private static bool Flag(JsonObject from, string name) =>
        from[name] is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : throw Wrong(name, "true or false");

    private static int Number(JsonObject from, string name) =>
        from[name] is JsonValue value && value.TryGetValue<int>(out var number) ? number
        : from[name] is JsonValue other && other.TryGetValue<long>(out var wide) && wide is >= 0 and <= 65535 ? (int)wide
        : throw Wrong(name, "an integer");

    private static ConfigurationException Wrong(string name, string expected) => new($"{name}: Invalid value: must be {expected}");
}

/// <summary>Parses the values that flags and the file share.</summary>
internal static class OptionParsing
{
    public static IPAddress Address(string name, string text) =>
        IPAddress.TryParse(text, out var address) ? address : throw new ConfigurationException($"{name}: Invalid value: \"{text}\": must be a valid IP address");

    public static IReadOnlyList<IPAddress> Addresses(string name, string text) => [.. text.Split(',').Select(a => Address(name, a.Trim()))];

    public static TimeSpan Duration(string name, string text) =>
        GoDuration.TryParse(text, out var duration) ? duration : throw new ConfigurationException($"{name}: Invalid value: \"{text}\": must be a duration such as 30s or 5m");

    public static IReadOnlyList<IPNetwork> Networks(string name, string text) => [.. text.Split(',').Select(range => Network(name, range.Trim()))];

    public static IPNetwork Network(string name, string text) =>
        IPNetwork.TryParse(text, out var network) ? network : throw new ConfigurationException($"{name}: Invalid value: \"{text}\": must be a valid CIDR value, (e.g. 10.9.8.0/24)");
}

using System.Text.Json.Nodes;
using Podhost.Commands;
using Podhost.Configuration;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.UserNamespaces;
using static Podhost.Hosting.ConfigurationFields;

namespace Podhost.Hosting;

/// <summary>The kubelet's options from the instance's options and its KubeletConfiguration. A field that is not supported is refused by name.</summary>
internal static class KubeletSettings
{
    public static KubeletOptions Of(PodhostOptions options)
    {
        var result = new KubeletOptions
        {
            NodeName = options.NodeName,
            RootDirectory = Path.Combine(options.DataDir, "kubelet"),
            PodLogsDirectory = options.PodLogsDir,
            StaticPodPath = options.PodManifestPath ?? "",
            NodeAddresses = [.. NodeAddress.All(options).Select(a => a.ToString())],
            Port = options.KubeletPort,
            PodInfraContainerImage = options.ContainerRuntimeEndpoint is null ? options.PodInfraContainerImage ?? "" : "",
            Version = VersionCommand.KubernetesVersion,
        };
        foreach (var (name, value) in options.Kubelet ?? [])
        {
            result = Apply(result, name, value);
        }

        // A flag beats the configuration.
        result = options.PodManifestPath is { } path ? result with { StaticPodPath = path } : result;
        ImageSettings.Check(result);
        EvictionSettings.Check(result);
        return result;
    }

    /// <summary>The configuration as /configz shows it: headers for the page of static pods may hold credentials, so their values are not told.</summary>
    public static JsonObject Shown(PodhostOptions options)
    {
        var shown = options.Kubelet?.DeepClone() as JsonObject ?? [];
        foreach (var (_, values) in shown["staticPodURLHeader"] as JsonObject ?? [])
        {
            if (values is JsonArray list)
            {
                list.Clear();
                list.Add((JsonNode)JsonValue.Create("<masked>"));
            }
        }

        return shown;
    }

    private static KubeletOptions Apply(KubeletOptions options, string name, JsonNode? value) => name switch
    {
        "apiVersion" or "kind" => options,
        "clusterDNS" or "resolvConf" => options, // DnsSettings reads them
        "authentication" or "authorization" or "tlsCertFile" or "tlsPrivateKeyFile" or "readOnlyPort" => options, // KubeletAccessSettings reads them
        "rotateCertificates" or "serverTLSBootstrap" => options, // KubeletCertificateSettings reads them
        "staticPodURL" => options with { StaticPodUrl = Page(name, value) },
        "staticPodURLHeader" => options with { StaticPodUrlHeaders = Headers(name, value) },
        "httpCheckFrequency" => options with { HttpCheckFrequency = Duration(name, value) is { Ticks: > 0 } period ? period : throw Wrong(name, "greater than zero") },
        "healthzPort" => options with { HealthzPort = Number(name, value) is <= ushort.MaxValue and var port ? port : throw Wrong(name, "a port, 0 for none") },
        "healthzBindAddress" => options with { HealthzBindAddress = OptionParsing.Address($"KubeletConfiguration: {name}", Text(name, value)) },
        "seccompDefault" => options with { SeccompDefault = Flag(name, value) },
        "allowedUnsafeSysctls" => options with { AllowedUnsafeSysctls = List(name, value) },
        "staticPodPath" => options with { StaticPodPath = Text(name, value) },
        "podLogsDir" => options with { PodLogsDirectory = Text(name, value) },
        "fileCheckFrequency" => options with { FileCheckFrequency = Duration(name, value) },
        "maxPods" => options with { MaxPods = Number(name, value) },
        "maxParallelImagePulls" => options with { MaxParallelImagePulls = Number(name, value) },
        "containerLogMaxSize" => options with { ContainerLogMaxBytes = Bytes(name, value) },
        "containerLogMaxFiles" => options with
        {
            ContainerLogMaxFiles = Number(name, value) is > 1 and var files ? files : throw new ConfigurationException($"KubeletConfiguration: {name}: must be greater than 1"),
        },
        "containerLogMonitorInterval" => options with
        {
            ContainerLogMonitorInterval = Duration(name, value) is { TotalSeconds: >= 3 } interval
                ? interval : throw new ConfigurationException($"KubeletConfiguration: {name}: must be greater than or equal to 3s"),
        },
        "systemReserved" => options with { SystemReserved = Map(name, value) },
        "kubeReserved" => options with { KubeReserved = Map(name, value) },
        "nodeLeaseDurationSeconds" => options with { NodeLeaseDuration = TimeSpan.FromSeconds(Number(name, value)) },
        "nodeStatusReportFrequency" => options with { NodeStatusReportFrequency = Duration(name, value) },
        "nodeStatusUpdateFrequency" => options with { NodeStatusUpdateFrequency = Duration(name, value) },
        "crashLoopBackOff" => options with
        {
            MaxContainerRestartPeriod = Duration("crashLoopBackOff.maxContainerRestartPeriod", (value as JsonObject)?["maxContainerRestartPeriod"]),
        },
        "containerLogMaxWorkers" => options with
        {
            ContainerLogMaxWorkers = Number(name, value) is > 0 and var workers ? workers : throw new ConfigurationException($"KubeletConfiguration: {name}: must be greater than 0"),
        },
        "imageGCHighThresholdPercent" => options with { ImageGarbage = options.ImageGarbage with { HighThresholdPercent = Number(name, value) } },
        "imageGCLowThresholdPercent" => options with { ImageGarbage = options.ImageGarbage with { LowThresholdPercent = Number(name, value) } },
        "imageMinimumGCAge" => options with { ImageGarbage = options.ImageGarbage with { MinimumAge = Duration(name, value) } },
        "imageMaximumGCAge" => options with { ImageGarbage = options.ImageGarbage with { MaximumAge = Duration(name, value) } },
        "imagePullCredentialsVerificationPolicy" => options with { ImagePullCredentialsVerificationPolicy = ImageSettings.Policy(Text(name, value)) },
        "preloadedImagesVerificationAllowlist" => options with { PreloadedImagesVerificationAllowlist = List(name, value) },
        "podPidsLimit" => options with { PodPidsLimit = EvictionSettings.Pids(name, value) },
        "userNamespaces" => options with { UserIdsPerPod = IdsPerPod(name, value) },
        "enforceNodeAllocatable" => options with { EnforceNodeAllocatable = EvictionSettings.Enforce(name, value) },
        _ when EvictionSettings.Apply(options.Eviction, name, value) is { } eviction => options with { Eviction = eviction },
        _ => throw NotSupported(name),
    };

    private static Uri? Page(string name, JsonNode? value) => Text(name, value) switch
    {
        "" => null,
        var text => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : throw Wrong(name, "an http or https address"),
    };

    // Upstream's bounds: whole images' worth of ids, and no more than there are.
    private static uint IdsPerPod(string name, JsonNode? value)
    {
        var ids = UserRange.PerPod;
        foreach (var (field, number) in Object(name, value))
        {
            var path = $"{name}.{field}";
            var given = field == "idsPerPod" ? Number(path, number) : throw NotSupported(path);
            ids = given > 0 && given % UserRange.PerPod == 0 ? (uint)given : throw Wrong(path, $"a multiple of {UserRange.PerPod}");
        }

        return ids;
    }

    // A map of lists: the form that upstream's configuration gives headers.
    private static List<(string Name, string Value)> Headers(string name, JsonNode? value)
    {
        var headers = new List<(string, string)>();
        foreach (var (header, values) in Object(name, value))
        {
            foreach (var item in values as JsonArray ?? throw Wrong($"{name}.{header}", "a list of strings"))
            {
                headers.Add((header, Text($"{name}.{header}", item)));
            }
        }

        return headers;
    }
}

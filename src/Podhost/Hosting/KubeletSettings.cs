using System.Text.Json.Nodes;
using Podhost.Api.Quantities;
using Podhost.Commands;
using Podhost.Configuration;
using Podhost.Kubelet.Hosting;

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
            NodeAddresses = options.NodeIP is { } address ? [address.ToString()] : [NodeAddress.Of(options).ToString()],
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
        return result;
    }

    private static KubeletOptions Apply(KubeletOptions options, string name, JsonNode? value) => name switch
    {
        "apiVersion" or "kind" => options,
        "clusterDNS" or "resolvConf" => options, // DnsSettings reads them
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
        _ => throw new ConfigurationException($"KubeletConfiguration: {name}: this field is not supported"),
    };

    private static string Text(string name, JsonNode? value) =>
        value is JsonValue v && v.TryGetValue<string>(out var text) ? text : throw Wrong(name, "a string");

    private static int Number(string name, JsonNode? value) =>
        value is JsonValue v && v.TryGetValue<long>(out var number) && number is >= 0 and <= int.MaxValue ? (int)number : throw Wrong(name, "a whole number");

    private static long Bytes(string name, JsonNode? value) =>
        Quantity.TryParse(Text(name, value), out var quantity) ? quantity.Value : throw Wrong(name, "a quantity such as 10Mi");

    private static TimeSpan Duration(string name, JsonNode? value) =>
        value is JsonValue v && v.TryGetValue<string>(out var text) && GoDuration.TryParse(text, out var duration) ? duration : throw Wrong(name, "a duration such as 30s or 5m");

    private static Dictionary<string, string> Map(string name, JsonNode? value) => value is JsonObject map
        ? map.ToDictionary(e => e.Key, e => Text($"{name}.{e.Key}", e.Value))
        : throw Wrong(name, "a map");

    private static List<string> List(string name, JsonNode? value) => value is JsonArray list
        ? [.. list.Select(item => Text(name, item))]
        : throw Wrong(name, "a list of strings");

    private static ConfigurationException Wrong(string name, string expected) => new($"KubeletConfiguration: {name}: Invalid value: must be {expected}");
}

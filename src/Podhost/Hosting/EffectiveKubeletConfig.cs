using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Configuration;
using Podhost.Kubelet.Hosting;

namespace Podhost.Hosting;

/// <summary>
/// The KubeletConfiguration that /configz shows: every field that this kubelet honours with the value in effect, and what is fixed here.
/// Clients such as upstream's node tests read ports, periods and reservations from it.
/// </summary>
internal static class EffectiveKubeletConfig
{
    /// <param name="options">The instance.</param>
    /// <param name="settings">What the kubelet runs with.</param>
    /// <param name="access">Who may use its API.</param>
    /// <param name="clusterDns">Nameservers of pods.</param>
    public static JsonObject Of(PodhostOptions options, KubeletOptions settings, KubeletAccessSettings access, IReadOnlyList<string> clusterDns)
    {
        var config = new JsonObject
        {
            ["apiVersion"] = "kubelet.config.k8s.io/v1beta1",
            ["kind"] = "KubeletConfiguration",
            ["enableServer"] = true,
            ["address"] = options.BindAddress.ToString(),
            ["port"] = settings.Port,
            ["readOnlyPort"] = access.ReadOnlyPort,
            ["healthzPort"] = settings.HealthzPort,
            ["healthzBindAddress"] = settings.HealthzBindAddress.ToString(),
            ["authentication"] = new JsonObject { ["anonymous"] = Enabled(access.Anonymous), ["webhook"] = Enabled(access.TokenWebhook), ["x509"] = new JsonObject() },
            ["authorization"] = new JsonObject { ["mode"] = access.AlwaysAllow ? "AlwaysAllow" : "Webhook" },
            ["enableDebuggingHandlers"] = true,
            ["registerNode"] = true,
            ["staticPodPath"] = settings.StaticPodPath,
            ["podLogsDir"] = settings.PodLogsDirectory,
            ["fileCheckFrequency"] = Text(settings.FileCheckFrequency),
            ["clusterDomain"] = options.ClusterDomain,
            ["clusterDNS"] = new JsonArray([.. clusterDns.Select(a => (JsonNode?)a)]),
            ["resolvConf"] = DnsSettings.ResolvConf(options),
            ["podCIDR"] = string.Join(',', options.PodCidrs),
            ["maxPods"] = settings.MaxPods,
            ["userNamespaces"] = new JsonObject { ["idsPerPod"] = settings.UserIdsPerPod },
            ["podPidsLimit"] = settings.PodPidsLimit ?? -1,
            ["containerRuntimeEndpoint"] = options.ContainerRuntimeEndpoint ?? options.CriSocket ?? "",
            ["maxParallelImagePulls"] = settings.MaxParallelImagePulls,
            ["serializeImagePulls"] = settings.MaxParallelImagePulls < 2,
        };
        AddNode(config, options, settings);
        foreach (var (name, value) in KubeletSettings.Shown(options))
        {
            config[name] = value?.DeepClone();
        }

        return config;
    }

    private static void AddNode(JsonObject config, PodhostOptions options, KubeletOptions settings)
    {
        config["nodeStatusUpdateFrequency"] = Text(settings.NodeStatusUpdateFrequency);
        config["nodeStatusReportFrequency"] = Text(settings.NodeStatusReportFrequency);
        config["nodeLeaseDurationSeconds"] = (int)settings.NodeLeaseDuration.TotalSeconds;
        config["crashLoopBackOff"] = new JsonObject { ["maxContainerRestartPeriod"] = Text(settings.MaxContainerRestartPeriod) };
        config["containerLogMaxSize"] = settings.ContainerLogMaxBytes.ToString(CultureInfo.InvariantCulture);
        config["containerLogMaxFiles"] = settings.ContainerLogMaxFiles;
        config["containerLogMonitorInterval"] = Text(settings.ContainerLogMonitorInterval);
        config["configMapAndSecretChangeDetectionStrategy"] = "Watch";
        config["cgroupRoot"] = options.CgroupRoot;
        config["cgroupDriver"] = "cgroupfs";
        config["cgroupsPerQOS"] = true;
        config["cpuCFSQuota"] = true;
        config["cpuCFSQuotaPeriod"] = "100ms";
        config["cpuManagerPolicy"] = "none";
        config["memoryManagerPolicy"] = "None";
        config["topologyManagerPolicy"] = "none";
        config["topologyManagerScope"] = "container";
        config["failSwapOn"] = false;
        config["localStorageCapacityIsolation"] = true;
        config["enableSystemLogHandler"] = false;
        config["seccompDefault"] = settings.SeccompDefault;
        config["systemReserved"] = Map(settings.SystemReserved);
        config["kubeReserved"] = Map(settings.KubeReserved);
        config["evictionHard"] = Map(settings.Eviction.Hard);
        config["evictionPressureTransitionPeriod"] = Text(settings.Eviction.PressureTransitionPeriod);
        config["allowedUnsafeSysctls"] = new JsonArray([.. settings.AllowedUnsafeSysctls.Select(s => (JsonNode?)s)]);
    }

    private static JsonObject Enabled(bool value) => new() { ["enabled"] = value };

    private static JsonObject Map(IReadOnlyDictionary<string, string> map) => new(map.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)e.Value)));

    // Go reads any number of seconds.
    private static string Text(TimeSpan span) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds}s");
}

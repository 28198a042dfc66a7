using System.Text.Json.Nodes;
using Podhost.Configuration;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Hosting;
using static Podhost.Hosting.ConfigurationFields;

namespace Podhost.Hosting;

/// <summary>The fields of a KubeletConfiguration about what pods may have of the node, and what happens when it runs short.</summary>
internal static class EvictionSettings
{
    /// <summary>The options with a field; null where the field is not one of these.</summary>
    public static EvictionOptions? Apply(EvictionOptions options, string name, JsonNode? value) => name switch
    {
        "evictionHard" => options with { Hard = Map(name, value) },
        "evictionSoft" => options with { Soft = Map(name, value) },
        "evictionSoftGracePeriod" => options with { SoftGracePeriod = Map(name, value).ToDictionary(g => g.Key, g => Duration($"{name}.{g.Key}", g.Value)) },
        "evictionMinimumReclaim" => options with { MinimumReclaim = Map(name, value) },
        "evictionMaxPodGracePeriod" => options with { MaxPodGracePeriod = TimeSpan.FromSeconds(Number(name, value)) },

        // Upstream takes zero for "not set".
        "evictionPressureTransitionPeriod" => Duration(name, value) is { Ticks: > 0 } period ? options with { PressureTransitionPeriod = period } : options,
        "mergeDefaultEvictionSettings" => options with { MergeDefaults = Flag(name, value) },
        _ => null,
    };

    /// <summary>Whether pods are held to the node's allocatable resources. Only pods have a cgroup here: those of the system are not this node's to make.</summary>
    public static bool Enforce(string name, JsonNode? value)
    {
        var levels = value is JsonArray list ? list.Select(l => Text(name, l)).ToList() : throw Wrong(name, "a list");
        return levels is ["none"] or [] ? false
            : levels is ["pods"] ? true
            : throw new ConfigurationException($"KubeletConfiguration: {name}: Unsupported value: [{string.Join(' ', levels)}]: supported values: [pods], [none]");
    }

    /// <summary>podPidsLimit: null for no limit.</summary>
    public static long? Pids(string name, JsonNode? value) =>
        value?.ToJsonString() == "-1" ? null : Number(name, value) is > 0 and var limit ? limit : null;

    /// <summary>Checks what only the whole can show.</summary>
    /// <exception cref="ConfigurationException">A threshold is not valid.</exception>
    public static void Check(KubeletOptions options)
    {
        try
        {
            _ = options.Eviction.Thresholds();
        }
        catch (FormatException e)
        {
            throw new ConfigurationException($"KubeletConfiguration: {e.Message}");
        }
    }
}

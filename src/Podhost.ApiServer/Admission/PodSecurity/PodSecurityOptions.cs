using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>What Pod Security admission does without labels, and whom it leaves alone. Upstream's PodSecurityConfiguration.</summary>
public sealed record PodSecurityOptions
{
    /// <summary>The policy where a namespace has no labels.</summary>
    public NamespacePolicy Defaults { get; init; } = NamespacePolicy.Privileged;

    /// <summary>Users whose requests are not looked at.</summary>
    public IReadOnlyList<string> Usernames { get; init; } = [];

    /// <summary>Namespaces that are not looked at.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>Runtime classes whose pods are not looked at.</summary>
    public IReadOnlyList<string> RuntimeClasses { get; init; } = [];

    /// <summary>Reads a PodSecurityConfiguration (pod-security.admission.config.k8s.io/v1).</summary>
    /// <exception cref="FormatException">A field is unknown or has a wrong value; the message names it.</exception>
    public static PodSecurityOptions Parse(JsonObject configuration)
    {
        Known(configuration, "", "apiVersion", "kind", "defaults", "exemptions");
        var exemptions = configuration["exemptions"] as JsonObject ?? [];
        Known(exemptions, "exemptions.", "usernames", "namespaces", "runtimeClasses");
        return new PodSecurityOptions
        {
            Defaults = ParseDefaults(configuration["defaults"] as JsonObject ?? []),
            Usernames = Strings(exemptions, "usernames"),
            Namespaces = Strings(exemptions, "namespaces"),
            RuntimeClasses = Strings(exemptions, "runtimeClasses"),
        };
    }

    private static NamespacePolicy ParseDefaults(JsonObject defaults)
    {
        Known(defaults, "defaults.", "enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version");
        var labels = new JsonObject();
        foreach (var (name, value) in defaults)
        {
            labels[NamespacePolicy.LabelPrefix + name] = value?.DeepClone();
        }

        var policy = NamespacePolicy.Of(labels, NamespacePolicy.Privileged, out var errors);
        return errors.Count == 0 ? policy : throw new FormatException(errors[0].ToString().Replace("metadata.labels[" + NamespacePolicy.LabelPrefix, "defaults[", StringComparison.Ordinal));
    }

    private static void Known(JsonObject from, string prefix, params string[] names)
    {
        if (from.FirstOrDefault(p => !names.Contains(p.Key, StringComparer.Ordinal)).Key is { } unknown)
        {
            throw new FormatException($"unknown field \"{prefix}{unknown}\"");
        }
    }

    private static string[] Strings(JsonObject from, string name) => from[name] switch
    {
        null => [],
        JsonArray list => [.. list.Select(Meta.Text)],
        _ => throw new FormatException($"exemptions.{name}: Invalid value: must be a list of strings"),
    };
}

using System.Text.Json.Nodes;
using Podhost.Api.Pods;
using Podhost.Api.Quantities;
using Podhost.Api.Validation;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of a pod's spec. Source: upstream's core/v1 defaults.</summary>
internal static class PodDefaults
{
    private const long GraceSeconds = 30;
    private const long FileMode = 420; // 0644
    private const long TokenSeconds = 3600;

    /// <summary>The defaults of a pod: those of any spec, and those that a template does not have, because the pods made from it get them.</summary>
    public static void ApplyToPod(JsonObject? spec)
    {
        if (spec is null)
        {
            return;
        }

        ApplyToSpec(spec);
        Defaults.Set(spec, "enableServiceLinks", true);
        foreach (var container in Defaults.Items(spec, "initContainers").Concat(Defaults.Items(spec, "containers")))
        {
            ContainerDefaults.DefaultRequests(Defaults.Ensure(container, "resources"));
        }

        DefaultPodLevel(spec);
    }

    /// <summary>The defaults of a pod's spec, also of one in a template.</summary>
    public static void ApplyToSpec(JsonObject? spec)
    {
        if (spec is null)
        {
            return;
        }

        Defaults.SetText(spec, "dnsPolicy", "ClusterFirst");
        Defaults.SetText(spec, "restartPolicy", "Always");
        Defaults.Ensure(spec, "securityContext");
        Defaults.Set(spec, "terminationGracePeriodSeconds", GraceSeconds);
        Defaults.SetText(spec, "schedulerName", "default-scheduler");
        if (spec["serviceAccountName"] is { } account && Defaults.Text(spec, "serviceAccount") is null or "")
        {
            spec["serviceAccount"] = account.DeepClone();
        }
        else if (Defaults.Text(spec, "serviceAccount") is { Length: > 0 } old && Defaults.Text(spec, "serviceAccountName") is null or "")
        {
            spec["serviceAccountName"] = old;
        }

        if (spec["hostNetwork"] is JsonValue host && host.TryGetValue<bool>(out var onHost) && onHost)
        {
            DefaultHostPorts(spec);
        }

        foreach (var field in (string[])["initContainers", "containers", "ephemeralContainers"])
        {
            foreach (var container in Defaults.Items(spec, field))
            {
                ContainerDefaults.Apply(container);
            }
        }

        foreach (var volume in Defaults.Items(spec, "volumes"))
        {
            ApplyToVolume(volume);
        }
    }

    private static void DefaultHostPorts(JsonObject spec)
    {
        foreach (var port in Defaults.Items(spec, "containers").Concat(Defaults.Items(spec, "initContainers")).SelectMany(c => Defaults.Items(c, "ports")))
        {
            if (port["containerPort"] is { } number)
            {
                Defaults.SetNumber(port, "hostPort", number is JsonValue v && v.TryGetValue<long>(out var n) ? n : 0);
            }
        }
    }

    // Huge pages of the pod are those of its containers; what is not limited so is asked for as the containers ask for it together, else as it is limited.
    private static void DefaultPodLevel(JsonObject spec)
    {
        if (Defaults.Child(spec, "resources") is not { } resources || AmountsOf(resources, "limits").Count + AmountsOf(resources, "requests").Count == 0)
        {
            return;
        }

        var field = new Field(spec, []);
        Default(resources, "limits", ContainerSums.Of(field, "limits").Where(e => ResourceNames.IsHugePages(e.Key)).Select(Text));
        if (AmountsOf(resources, "limits") is not { Count: > 0 } limits)
        {
            return;
        }

        Default(resources, "requests", ContainerSums.Of(field, "requests").Where(e => e.Key is ResourceNames.Cpu or ResourceNames.Memory).Select(Text));
        Default(resources, "requests", limits.Where(e => e.Value is not null && ResourceNames.IsPodLevel(e.Key)).Select(e => KeyValuePair.Create(e.Key, e.Value!)));
    }

    private static JsonObject AmountsOf(JsonObject resources, string list) => Defaults.Child(resources, list) ?? [];

    private static void Default(JsonObject resources, string list, IEnumerable<KeyValuePair<string, JsonNode>> amounts)
    {
        foreach (var (name, amount) in amounts.ToList())
        {
            var own = Defaults.Ensure(resources, list);
            if (own[name] is null)
            {
                own[name] = amount.DeepClone();
            }
        }
    }

    private static KeyValuePair<string, JsonNode> Text(KeyValuePair<string, Quantity> amount) => KeyValuePair.Create(amount.Key, (JsonNode)JsonValue.Create(amount.Value.ToString()));

    private static void ApplyToVolume(JsonObject volume)
    {
        if (volume.Count(f => f.Value is not null) == 1)
        {
            volume["emptyDir"] = new JsonObject();
        }

        foreach (var field in (string[])["secret", "configMap", "downwardAPI", "projected"])
        {
            if (Defaults.Child(volume, field) is { } source)
            {
                Defaults.Set(source, "defaultMode", FileMode);
            }
        }

        if (Defaults.Child(volume, "hostPath") is { } hostPath)
        {
            Defaults.Set(hostPath, "type", "");
        }

        foreach (var item in Defaults.Child(volume, "downwardAPI") is { } downward ? Defaults.Items(downward, "items") : [])
        {
            DefaultFieldRef(item);
        }

        foreach (var source in Defaults.Child(volume, "projected") is { } projected ? Defaults.Items(projected, "sources") : [])
        {
            foreach (var item in Defaults.Child(source, "downwardAPI") is { } items ? Defaults.Items(items, "items") : [])
            {
                DefaultFieldRef(item);
            }

            if (Defaults.Child(source, "serviceAccountToken") is { } token)
            {
                Defaults.Set(token, "expirationSeconds", TokenSeconds);
            }
        }

        if (Defaults.Child(volume, "image") is { } image)
        {
            Defaults.SetText(image, "pullPolicy", ContainerDefaults.PullPolicyOf(Defaults.Text(image, "reference") ?? ""));
        }

        if (volume["ephemeral"] is JsonObject ephemeral && Defaults.Child(ephemeral, "volumeClaimTemplate") is { } template)
        {
            Defaults.Set(Defaults.Ensure(template, "spec"), "volumeMode", "Filesystem");
        }
    }

    private static void DefaultFieldRef(JsonObject from)
    {
        if (Defaults.Child(from, "fieldRef") is { } reference)
        {
            Defaults.SetText(reference, "apiVersion", "v1");
        }
    }
}

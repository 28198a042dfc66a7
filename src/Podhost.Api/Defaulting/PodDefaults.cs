using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of a pod's spec. Source: upstream's core/v1 defaults.</summary>
internal static class PodDefaults
{
    private const long GraceSeconds = 30;
    private const long FileMode = 420; // 0644
    private const long TokenSeconds = 3600;

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
        Defaults.Set(spec, "enableServiceLinks", true);
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

        DefaultPodLevelRequests(spec);
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

    private static void DefaultPodLevelRequests(JsonObject spec)
    {
        if (Defaults.Child(spec, "resources") is { } resources && Defaults.Child(resources, "limits") is { } limits)
        {
            var requests = Defaults.Ensure(resources, "requests");
            foreach (var (name, limit) in limits)
            {
                if (requests[name] is null && limit is not null)
                {
                    requests[name] = limit.DeepClone();
                }
            }
        }
    }

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

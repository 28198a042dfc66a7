using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of one container of any list. Source: upstream's core/v1 defaults.</summary>
internal static class ContainerDefaults
{
    public static void Apply(JsonObject container)
    {
        Defaults.SetText(container, "imagePullPolicy", PullPolicyOf(Defaults.Text(container, "image") ?? ""));
        Defaults.SetText(container, "terminationMessagePath", "/dev/termination-log");
        Defaults.SetText(container, "terminationMessagePolicy", "File");
        foreach (var port in Defaults.Items(container, "ports"))
        {
            Defaults.SetText(port, "protocol", "TCP");
        }

        foreach (var variable in Defaults.Items(container, "env"))
        {
            DefaultEnv(variable);
        }

        Defaults.Ensure(container, "resources");
        foreach (var probe in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (Defaults.Child(container, probe) is { } p)
            {
                DefaultProbe(p);
            }
        }

        if (Defaults.Child(container, "lifecycle") is { } lifecycle)
        {
            DefaultHandler(Defaults.Child(lifecycle, "postStart"));
            DefaultHandler(Defaults.Child(lifecycle, "preStop"));
        }

        if (Defaults.Child(container, "securityContext") is { } security && security["procMount"] is JsonValue mount && mount.TryGetValue<string>(out var text) && text == "")
        {
            security["procMount"] = "Default";
        }
    }

    /// <summary>Always where the tag is latest or absent, else IfNotPresent.</summary>
    public static string PullPolicyOf(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
        {
            return "IfNotPresent";
        }

        var name = image[(image.LastIndexOf('/') + 1)..];
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || name[(colon + 1)..] == "latest" ? "Always" : "IfNotPresent";
    }

    private static void DefaultEnv(JsonObject variable)
    {
        if (Defaults.Child(variable, "valueFrom") is not { } from)
        {
            return;
        }

        if (Defaults.Child(from, "fieldRef") is { } field)
        {
            Defaults.SetText(field, "apiVersion", "v1");
        }

        if (Defaults.Child(from, "resourceFieldRef") is { } resource)
        {
            Defaults.SetText(resource, "divisor", "0");
        }

        if (Defaults.Child(from, "fileKeyRef") is { } file)
        {
            Defaults.Set(file, "optional", false);
        }
    }

    /// <summary>An unset request is the limit.</summary>
    public static void DefaultRequests(JsonObject resources)
    {
        if (Defaults.Child(resources, "limits") is not { Count: > 0 } limits)
        {
            return;
        }

        var requests = Defaults.Ensure(resources, "requests");
        foreach (var (name, limit) in limits)
        {
            if (requests[name] is null && limit is not null)
            {
                requests[name] = limit.DeepClone();
            }
        }
    }

    private static void DefaultProbe(JsonObject probe)
    {
        Defaults.SetNumber(probe, "timeoutSeconds", 1);
        Defaults.SetNumber(probe, "periodSeconds", 10);
        Defaults.SetNumber(probe, "successThreshold", 1);
        Defaults.SetNumber(probe, "failureThreshold", 3);
        DefaultHandler(probe);
        if (Defaults.Child(probe, "grpc") is { } grpc)
        {
            Defaults.Set(grpc, "service", "");
        }
    }

    private static void DefaultHandler(JsonObject? handler)
    {
        if (handler is not null && Defaults.Child(handler, "httpGet") is { } http)
        {
            Defaults.SetText(http, "path", "/");
            Defaults.SetText(http, "scheme", "HTTP");
        }
    }
}

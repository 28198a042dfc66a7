using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of the kinds that extend the API: definitions of custom kinds, admission webhooks.</summary>
internal static class ExtensionDefaults
{
    private const int HttpsPort = 443;

    /// <remarks>Upstream: apiextensions/v1/defaults.go.</remarks>
    public static void ApplyToDefinition(JsonObject definition)
    {
        var spec = Defaults.Ensure(definition, "spec");
        var names = Defaults.Ensure(spec, "names");
        var kind = names["kind"] is JsonValue v && v.TryGetValue(out string? text) ? text : "";
        if (kind.Length > 0)
        {
            Defaults.SetText(names, "singular", kind.ToLowerInvariant());
            Defaults.SetText(names, "listKind", kind + "List");
        }

        Defaults.SetText(Defaults.Ensure(spec, "conversion"), "strategy", "None");
        if (spec["conversion"]?["webhook"]?["clientConfig"]?["service"] is JsonObject service)
        {
            Defaults.Set(service, "port", HttpsPort);
        }
    }

    /// <remarks>Upstream: pkg/apis/admissionregistration/v1/defaults.go.</remarks>
    public static void ApplyToWebhooks(JsonObject configuration, bool mutating)
    {
        foreach (var webhook in (configuration["webhooks"] as JsonArray ?? []).OfType<JsonObject>())
        {
            Defaults.SetText(webhook, "failurePolicy", "Fail");
            Defaults.SetText(webhook, "matchPolicy", "Equivalent");
            Defaults.Ensure(webhook, "namespaceSelector");
            Defaults.Ensure(webhook, "objectSelector");
            Defaults.Set(webhook, "timeoutSeconds", 10);
            if (mutating)
            {
                Defaults.SetText(webhook, "reinvocationPolicy", "Never");
            }

            if (webhook["clientConfig"]?["service"] is JsonObject service)
            {
                Defaults.Set(service, "port", HttpsPort);
            }

            foreach (var rule in (webhook["rules"] as JsonArray ?? []).OfType<JsonObject>())
            {
                Defaults.SetText(rule, "scope", "*");
            }
        }
    }
}

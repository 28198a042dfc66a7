using System.Text.Json.Nodes;
using Podhost.Api.Selectors;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Webhooks;

/// <summary>One webhook of a configuration, read once. Immutable.</summary>
internal sealed class Webhook
{
    private Webhook()
    {
    }

    /// <summary>Name, which messages tell.</summary>
    public required string Name { get; init; }

    /// <summary>Where to call it.</summary>
    public required WebhookTarget Target { get; init; }

    /// <summary>What it is called for.</summary>
    public IReadOnlyList<WebhookRule> Rules { get; private init; } = [];

    /// <summary>True where a request passes when the call fails.</summary>
    public bool IgnoresFailure { get; private init; }

    /// <summary>True where rules for another version of a kind count too.</summary>
    public bool MatchesEquivalent { get; private init; }

    /// <summary>Labels of the namespace.</summary>
    public LabelSelector Namespaces { get; private init; } = LabelSelector.Everything;

    /// <summary>Labels of the object, old or new.</summary>
    public LabelSelector Objects { get; private init; } = LabelSelector.Everything;

    /// <summary>True where it may be called for a dry run.</summary>
    public bool AllowsDryRun { get; private init; }

    /// <summary>How long the call may take.</summary>
    public TimeSpan Timeout { get; private init; }

    /// <summary>The version of AdmissionReview that is sent: v1 or v1beta1.</summary>
    public string ReviewVersion { get; private init; } = "v1";

    /// <summary>True where it is called again after others changed the object.</summary>
    public bool IsReinvoked { get; private init; }

    /// <summary>Reads the webhooks of a configuration, which is valid.</summary>
    public static IEnumerable<Webhook> Read(JsonObject configuration) =>
        (configuration["webhooks"] as JsonArray ?? []).OfType<JsonObject>().Select(ReadOne);

    private static Webhook ReadOne(JsonObject hook) => new()
    {
        Name = Meta.Text(hook["name"]),
        Target = WebhookTarget.Read(hook["clientConfig"] as JsonObject ?? []),
        Rules = [.. (hook["rules"] as JsonArray ?? []).OfType<JsonObject>().Select(WebhookRule.Read)],
        IgnoresFailure = Meta.Text(hook["failurePolicy"]) == "Ignore",
        MatchesEquivalent = Meta.Text(hook["matchPolicy"]) != "Exact",
        Namespaces = LabelSelector.FromObject(hook["namespaceSelector"] as JsonObject ?? []),
        Objects = LabelSelector.FromObject(hook["objectSelector"] as JsonObject ?? []),
        AllowsDryRun = Meta.Text(hook["sideEffects"]) is "None" or "NoneOnDryRun",
        Timeout = TimeSpan.FromSeconds(hook["timeoutSeconds"] is JsonValue v && v.TryGetValue(out long seconds) ? seconds : 10),
        ReviewVersion = (hook["admissionReviewVersions"] as JsonArray ?? []).Select(Meta.Text).FirstOrDefault(r => r is "v1" or "v1beta1") ?? "v1",
        IsReinvoked = Meta.Text(hook["reinvocationPolicy"]) == "IfNeeded",
    };
}

/// <summary>Where a webhook is called: an address, or a path of a service.</summary>
/// <param name="Url">The address; for a service its name in the cluster, which is what its certificate has to name.</param>
/// <param name="Service">Namespace and name of the service, or null.</param>
/// <param name="Authorities">PEM of the authorities that its certificate may come from; empty for the system's.</param>
internal sealed record WebhookTarget(Uri Url, (string Namespace, string Name)? Service, string Authorities)
{
    private const int HttpsPort = 443;

    public static WebhookTarget Read(JsonObject config)
    {
        var pem = Meta.Text(config["caBundle"]) is { Length: > 0 } bundle ? System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(bundle)) : "";
        if (config["service"] is not JsonObject service)
        {
            return new WebhookTarget(new Uri(Meta.Text(config["url"])), null, pem);
        }

        var (ns, name, path) = (Meta.Text(service["namespace"]), Meta.Text(service["name"]), Meta.Text(service["path"]));
        var port = service["port"] is JsonValue v && v.TryGetValue(out long n) ? n : HttpsPort;
        return new WebhookTarget(new Uri($"https://{name}.{ns}.svc:{port}/{path.TrimStart('/')}"), (ns, name), pem);
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using Podhost.Configuration;

namespace Podhost.Commands;

/// <summary>Flags of <c>podhost kubelet</c> that stand for fields of the KubeletConfiguration, in upstream's names; a flag beats the field.</summary>
internal sealed class KubeletFlags
{
    private readonly Option<string?> _manifestUrl = new("--manifest-url") { Description = "page with a static Pod or a list of them (staticPodURL)" };
    private readonly Option<string[]> _manifestUrlHeader = new("--manifest-url-header") { Description = "header NAME:VALUE for that page; may be repeated (staticPodURLHeader)" };
    private readonly Option<string?> _clientCaFile = new("--client-ca-file") { Description = "authorities whose client certificates the kubelet takes (authentication.x509.clientCAFile)" };
    private readonly Option<bool?> _anonymousAuth = new("--anonymous-auth") { Description = "take requests without credentials as system:anonymous (authentication.anonymous.enabled, default false)" };
    private readonly Option<bool?> _tokenWebhook = new("--authentication-token-webhook") { Description = "ask the API server about bearer tokens (authentication.webhook.enabled, default true)" };
    private readonly Option<string?> _authorizationMode = new("--authorization-mode") { Description = "Webhook (default) or AlwaysAllow (authorization.mode)" };
    private readonly Option<string?> _certificateFile = new("--tls-cert-file") { Description = "serving certificate (tlsCertFile)" };
    private readonly Option<string?> _keyFile = new("--tls-private-key-file") { Description = "its key (tlsPrivateKeyFile)" };
    private readonly Option<bool?> _rotate = new("--rotate-certificates") { Description = "renew the client certificate of a bootstrapped node before it ends (rotateCertificates, default true)" };
    private readonly Option<bool?> _rotateServer = new("--rotate-server-certificates") { Description = "ask the API server for the serving certificate too (serverTLSBootstrap, default false: self-signed)" };
    private readonly Option<int?> _readOnlyPort = new("--read-only-port") { Description = "plain HTTP for anybody to read health, pods, statistics and metrics (readOnlyPort, default 0: none)" };

    /// <summary>Adds them to a command.</summary>
    public void AddAllTo(Command command)
    {
        foreach (var option in (Option[])
            [_manifestUrl, _manifestUrlHeader, _clientCaFile, _anonymousAuth, _tokenWebhook, _authorizationMode, _certificateFile, _keyFile, _rotate, _rotateServer, _readOnlyPort])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The options with what the flags say.</summary>
    /// <exception cref="ConfigurationException">A value cannot be used.</exception>
    public PodhostOptions Apply(ParseResult parsed, PodhostOptions options)
    {
        var kubelet = options.Kubelet?.DeepClone() as JsonObject ?? [];
        Set(kubelet, Text(parsed, _manifestUrl), "staticPodURL");
        Set(kubelet, Headers(parsed), "staticPodURLHeader");
        Set(kubelet, Text(parsed, _clientCaFile), "authentication", "x509", "clientCAFile");
        Set(kubelet, Flag(parsed, _anonymousAuth), "authentication", "anonymous", "enabled");
        Set(kubelet, Flag(parsed, _tokenWebhook), "authentication", "webhook", "enabled");
        Set(kubelet, Text(parsed, _authorizationMode), "authorization", "mode");
        Set(kubelet, Text(parsed, _certificateFile), "tlsCertFile");
        Set(kubelet, Text(parsed, _keyFile), "tlsPrivateKeyFile");
        Set(kubelet, Flag(parsed, _rotate), "rotateCertificates");
        Set(kubelet, Flag(parsed, _rotateServer), "serverTLSBootstrap");
        Set(kubelet, parsed.GetValue(_readOnlyPort) is { } port ? JsonValue.Create((long)port) : null, "readOnlyPort");
        return options with { Kubelet = kubelet };
    }

    private JsonObject? Headers(ParseResult parsed)
    {
        if (parsed.GetValue(_manifestUrlHeader) is not { Length: > 0 } given)
        {
            return null;
        }

        var headers = new JsonObject();
        foreach (var header in given)
        {
            if (header.Split(':', 2) is not [{ Length: > 0 } name, var value])
            {
                throw new ConfigurationException($"--manifest-url-header: Invalid value: \"{header}\": must be NAME:VALUE");
            }

            (headers[name] as JsonArray ?? (JsonArray)(headers[name] = new JsonArray())!).Add((JsonNode)JsonValue.Create(value));
        }

        return headers;
    }

    private static JsonValue? Text(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is { } text ? JsonValue.Create(text) : null;

    private static JsonValue? Flag(ParseResult parsed, Option<bool?> option) =>
        parsed.GetResult(option) is OptionResult { Implicit: false } result && result.GetValueOrDefault<bool?>() is { } flag ? JsonValue.Create(flag) : null;

    private static void Set(JsonObject into, JsonNode? value, params ReadOnlySpan<string> path)
    {
        if (value is null)
        {
            return;
        }

        foreach (var field in path[..^1])
        {
            if (into[field] is not JsonObject next)
            {
                into[field] = next = [];
            }

            into = next;
        }

        into[path[^1]] = value;
    }
}

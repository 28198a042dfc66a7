using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Api.Validation.Core;

/// <summary>What a secret of a known type must hold.</summary>
internal static class SecretTypeRules
{
    private const string Account = "kubernetes.io/service-account.name";

    public static void Check(Field secret)
    {
        var data = secret["data"];
        switch (secret["type"].Text)
        {
            case "kubernetes.io/service-account-token":
                if (secret["metadata"]["annotations"].Key(Account).Text.Length == 0)
                {
                    secret["metadata"]["annotations"].Key(Account).Required();
                }

                break;
            case "kubernetes.io/dockercfg":
                CheckJson(data.Key(".dockercfg"));
                break;
            case "kubernetes.io/dockerconfigjson":
                CheckJson(data.Key(".dockerconfigjson"));
                break;
            case "kubernetes.io/basic-auth":
                if (!data.Key("username").IsSet && !data.Key("password").IsSet)
                {
                    data.Key("username").Required();
                    data.Key("password").Required();
                }

                break;
            case "kubernetes.io/ssh-auth":
                Require(data.Key("ssh-privatekey"));
                break;
            case "kubernetes.io/tls":
                Require(data.Key("tls.crt"));
                Require(data.Key("tls.key"));
                break;
        }
    }

    private static void Require(Field key)
    {
        if (!key.IsSet)
        {
            key.Required();
        }
    }

    private static void CheckJson(Field key)
    {
        if (!key.IsSet)
        {
            key.Required();
            return;
        }

        try
        {
            if (JsonNode.Parse(Convert.FromBase64String(key.Text)) is not JsonObject)
            {
                key.InvalidText("<secret contents redacted>", "must be a JSON object");
            }
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            key.InvalidText("<secret contents redacted>", e.Message);
        }
    }
}

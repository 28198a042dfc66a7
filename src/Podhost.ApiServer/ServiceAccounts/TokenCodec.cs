using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;

namespace Podhost.ApiServer.ServiceAccounts;

/// <summary>Signs and verifies service-account tokens: JWTs with ES256 and nothing else, so that no header can choose a weaker check.</summary>
public sealed class TokenCodec
{
    private const int MaxTokenBytes = 16 * 1024;
    private const string SecretIssuer = "kubernetes/serviceaccount";
    private const string SecretClaim = "kubernetes.io/serviceaccount/";
    private readonly ECDsa _key;
    private readonly string _issuer;
    private readonly string _keyId;
    private readonly Lock _gate = new();

    /// <summary>A codec with a P-256 key.</summary>
    /// <param name="key">Signing key.</param>
    /// <param name="issuer">The issuer that tokens carry and must carry, a URL.</param>
    public TokenCodec(ECDsa key, string issuer)
    {
        _key = key;
        _issuer = issuer;
        _keyId = Base64Url.EncodeToString(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
    }

    /// <summary>The issuer.</summary>
    public string Issuer => _issuer;

    /// <summary>The signed token of some claims.</summary>
    public string Sign(TokenClaims claims) => Sign(Payload(claims));

    /// <summary>The signed token of a Secret, with upstream's claims of such tokens.</summary>
    public string Sign(SecretTokenClaims claims) => Sign(new JsonObject
    {
        ["iss"] = SecretIssuer,
        [SecretClaim + "namespace"] = claims.Namespace,
        [SecretClaim + "secret.name"] = claims.SecretName,
        [SecretClaim + "service-account.name"] = claims.ServiceAccount.Name,
        [SecretClaim + "service-account.uid"] = claims.ServiceAccount.Uid,
        ["sub"] = claims.UserName,
    });

    /// <summary>The claims of a token that this key signed and whose time has come and not passed; null for any other text.</summary>
    public TokenClaims? Verify(string token, DateTimeOffset now) =>
        Verified(token, Parse) is { } claims && claims.IssuedAt <= now.AddMinutes(1) && now < claims.ExpiresAt ? claims : null;

    /// <summary>The claims of a Secret's token that this key signed; null for any other text.</summary>
    public SecretTokenClaims? VerifySecretToken(string token) => Verified(token, ParseSecretToken);

    private string Sign(JsonObject payload)
    {
        var header = new JsonObject { ["alg"] = "ES256", ["kid"] = _keyId };
        var body = Encode(ObjectCodec.ToUtf8(header)) + "." + Encode(ObjectCodec.ToUtf8(payload));
        lock (_gate)
        {
            return body + "." + Encode(_key.SignData(Encoding.ASCII.GetBytes(body), HashAlgorithmName.SHA256));
        }
    }

    private T? Verified<T>(string token, Func<JsonObject, T?> parse) where T : class
    {
        if (token.Length > MaxTokenBytes || token.Split('.') is not [var header, var payload, var signature])
        {
            return null;
        }

        try
        {
            return IsOurHeader(header) && IsSigned(header + "." + payload, signature) ? parse(ObjectCodec.ParseJson(Base64Url.DecodeFromChars(payload))) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The public key as a JSON Web Key Set, for /openid/v1/jwks.</summary>
    public JsonObject KeySet()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["use"] = "sig",
                ["kty"] = "EC",
                ["kid"] = _keyId,
                ["crv"] = "P-256",
                ["alg"] = "ES256",
                ["x"] = Encode(point.X!),
                ["y"] = Encode(point.Y!),
            }),
        };
    }

    private bool IsOurHeader(string header)
    {
        var parsed = ObjectCodec.ParseJson(Base64Url.DecodeFromChars(header));
        return parsed["alg"]?.GetValue<string>() == "ES256" && parsed["kid"]?.GetValue<string>() == _keyId;
    }

    private bool IsSigned(string body, string signature)
    {
        lock (_gate)
        {
            return _key.VerifyData(Encoding.ASCII.GetBytes(body), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256);
        }
    }

    private JsonObject Payload(TokenClaims claims)
    {
        var kubernetes = new JsonObject { ["namespace"] = claims.Namespace };
        Add(kubernetes, "node", claims.Node);
        Add(kubernetes, "pod", claims.Pod);
        Add(kubernetes, "secret", claims.Secret);
        Add(kubernetes, "serviceaccount", claims.ServiceAccount);
        return new JsonObject
        {
            ["aud"] = new JsonArray([.. claims.Audiences.Select(a => (JsonNode)a)]),
            ["exp"] = claims.ExpiresAt.ToUnixTimeSeconds(),
            ["iat"] = claims.IssuedAt.ToUnixTimeSeconds(),
            ["iss"] = _issuer,
            ["jti"] = claims.Id,
            ["kubernetes.io"] = kubernetes,
            ["nbf"] = claims.IssuedAt.ToUnixTimeSeconds(),
            ["sub"] = claims.UserName,
        };
    }

    private TokenClaims? Parse(JsonObject payload)
    {
        if (payload["iss"]?.GetValue<string>() != _issuer
            || payload["kubernetes.io"] is not JsonObject kubernetes
            || kubernetes["namespace"]?.GetValue<string>() is not { Length: > 0 } ns
            || Bound(kubernetes, "serviceaccount") is not { } account
            || payload["exp"]?.GetValue<long>() is not { } expires
            || payload["iat"]?.GetValue<long>() is not { } issued)
        {
            return null;
        }

        var audiences = payload["aud"] is JsonArray list ? list.Select(a => a!.GetValue<string>()).ToList() : [];
        return new TokenClaims(
            ns,
            account,
            audiences,
            DateTimeOffset.FromUnixTimeSeconds(issued),
            DateTimeOffset.FromUnixTimeSeconds(expires),
            payload["jti"]?.GetValue<string>() ?? "",
            Bound(kubernetes, "pod"),
            Bound(kubernetes, "node"),
            Bound(kubernetes, "secret"));
    }

    private static SecretTokenClaims? ParseSecretToken(JsonObject payload) =>
        payload["iss"]?.GetValue<string>() == SecretIssuer
        && SecretPart(payload, "namespace") is { } ns && SecretPart(payload, "secret.name") is { } secret
        && SecretPart(payload, "service-account.name") is { } account && SecretPart(payload, "service-account.uid") is { } uid
            ? new SecretTokenClaims(ns, new BoundObject(account, uid), secret)
            : null;

    private static string? SecretPart(JsonObject payload, string name) => payload[SecretClaim + name]?.GetValue<string>() is { Length: > 0 } text ? text : null;

    private static void Add(JsonObject target, string name, BoundObject? bound)
    {
        if (bound is not null)
        {
            target[name] = new JsonObject { ["name"] = bound.Name, ["uid"] = bound.Uid };
        }
    }

    private static BoundObject? Bound(JsonObject from, string name) =>
        from[name] is JsonObject o && o["name"]?.GetValue<string>() is { } n ? new BoundObject(n, o["uid"]?.GetValue<string>() ?? "") : null;

    private static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}

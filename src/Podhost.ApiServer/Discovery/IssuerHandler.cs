using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.ApiServer.Routes;
using Podhost.ApiServer.ServiceAccounts;

namespace Podhost.ApiServer.Discovery;

/// <summary>OpenID discovery of the issuer of service-account tokens: who signs them and with which key.</summary>
/// <remarks>https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery</remarks>
internal sealed class IssuerHandler
{
    public const string ConfigurationPath = "/.well-known/openid-configuration";
    public const string KeysPath = "/openid/v1/jwks";
    private readonly byte[] _configuration;
    private readonly byte[] _keys;

    public IssuerHandler(TokenCodec tokens)
    {
        _configuration = ObjectCodec.ToUtf8(new JsonObject
        {
            ["issuer"] = tokens.Issuer,
            ["jwks_uri"] = tokens.Issuer + KeysPath,
            ["response_types_supported"] = new JsonArray("id_token"),
            ["subject_types_supported"] = new JsonArray("public"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("ES256"),
        });
        _keys = ObjectCodec.ToUtf8(tokens.KeySet());
    }

    public ValueTask ConfigurationAsync(RequestContext context) => WriteAsync(context, "application/json", _configuration);

    public ValueTask KeysAsync(RequestContext context) => WriteAsync(context, "application/jwk-set+json", _keys);

    private static ValueTask WriteAsync(RequestContext context, string contentType, byte[] body)
    {
        context.Http.Response.Headers.CacheControl = "public, max-age=3600";
        return ResponseWriter.WriteBytesAsync(context, 200, contentType, body);
    }
}

using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Objects;

namespace Podhost.ApiServer.Registry;

/// <summary>Where a list goes on: after a key, at the revision of its first page. Opaque to clients.</summary>
/// <param name="Revision">Revision of the list; -1: the newest, the client has accepted an inconsistent rest.</param>
/// <param name="StartKey">The first key of the rest, below the resource's prefix.</param>
internal readonly record struct ContinueToken(long Revision, string StartKey)
{
    private const string FormatVersion = "meta.k8s.io/v1";

    public string Encode() => Base64Url.EncodeToString(
        ObjectCodec.ToUtf8(new JsonObject { ["v"] = FormatVersion, ["rv"] = Revision, ["start"] = StartKey }));

    /// <exception cref="ApiException">400: it is no token of this server.</exception>
    public static ContinueToken Decode(string token)
    {
        try
        {
            var json = ObjectCodec.ParseJson(Base64Url.DecodeFromChars(token));
            var start = Meta.Text(json["start"]);
            if (Meta.Text(json["v"]) != FormatVersion || start.Length == 0 ||
                json["rv"] is not JsonValue rv || !rv.TryGetValue(out long revision) || revision is 0 or < -1)
            {
                throw new FormatException("unexpected content");
            }

            return new ContinueToken(revision, start);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw ApiException.BadRequest($"continue key is not valid: {e.Message}");
        }
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Errors;
using Podhost.Api.Resources;

namespace Podhost.Api.Schema;

/// <summary>An object without its unknown fields, and what was wrong with it.</summary>
/// <param name="Pruned">The object without unknown fields; of duplicates the last value stays.</param>
/// <param name="Problems">Problems in upstream's words: <c>unknown field "spec.foo"</c>, <c>duplicate field "spec.x"</c>.</param>
public sealed record FieldCheck(JsonObject Pruned, IReadOnlyList<string> Problems);

/// <summary>Decoding as upstream's typed decoding does it: unknown fields are dropped and reported, duplicate fields reported, wrong types refused.</summary>
/// <remarks>
/// Values take the form that decoding and encoding again gives them: quantities are canonical, times are UTC, a field that is null
/// is absent, and so is a list or map that is empty and not required.
/// </remarks>
public static class FieldValidation
{
    /// <summary>Decodes a request body of a resource.</summary>
    /// <exception cref="ApiException">400: no JSON object, or a value of the wrong type.</exception>
    public static FieldCheck Check(ResourceInfo resource, ReadOnlySpan<byte> json) =>
        Check(resource.Custom, resource.Schema, json, resource.Kind, resource.Version);

    /// <summary>Decodes a body of a named type, for example DeleteOptions or Binding.</summary>
    /// <exception cref="ApiException">400: no JSON object, or a value of the wrong type.</exception>
    public static FieldCheck Check(SchemaType type, ReadOnlySpan<byte> json) => Check(null, type, json, type.ShortName, "v1");

    /// <summary>Checks an object that was made already, for example by a patch or from YAML.</summary>
    /// <exception cref="ApiException">400: a value of the wrong type.</exception>
    public static FieldCheck Check(ResourceInfo resource, JsonObject obj) =>
        Check(resource, Objects.ObjectCodec.ToUtf8(obj));

    /// <inheritdoc cref="Check(ResourceInfo, JsonObject)"/>
    public static FieldCheck Check(SchemaType type, JsonObject obj) => Check(type, Objects.ObjectCodec.ToUtf8(obj));

    /// <summary>As <see cref="Check(ResourceInfo, JsonObject)"/> for readers that say themselves what a fault means.</summary>
    /// <exception cref="DecodeException">A value of the wrong type.</exception>
    public static FieldCheck Decode(ResourceInfo resource, JsonObject obj) =>
        Decode(resource.Schema, Objects.ObjectCodec.ToUtf8(obj));

    private static FieldCheck Decode(SchemaType type, ReadOnlySpan<byte> json)
    {
        var problems = new List<string>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 128 });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new DecodeException($"json: cannot unmarshal {JsonTypes.Describe(ref reader)} into Go value of type v1.{type.ShortName}");
        }

        var obj = new SchemaDecoder(problems).ReadObject(ref reader, type);
        return reader.Read() ? throw new JsonException("invalid data after top-level value") : new FieldCheck(obj, problems);
    }

    private static FieldCheck Check(CustomKind? custom, SchemaType type, ReadOnlySpan<byte> json, string kind, string version)
    {
        try
        {
            return custom is null ? Decode(type, json) : CustomObjects.Decode(custom, json);
        }
        catch (DecodeException e)
        {
            throw ApiException.BadRequest($"{kind} in version \"{version}\" cannot be handled as a {kind}: {e.Message}");
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest("couldn't get version/kind; json parse error: " + e.Message);
        }
    }
}

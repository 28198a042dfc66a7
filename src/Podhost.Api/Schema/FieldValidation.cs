using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.Api.Schema;

/// <summary>An object without its unknown fields, and what was wrong with it.</summary>
/// <param name="Pruned">The object without unknown fields; of duplicates the last value stays.</param>
/// <param name="Problems">Problems in upstream's words: <c>unknown field "spec.foo"</c>, <c>duplicate field "spec.x"</c>.</param>
public sealed record FieldCheck(JsonObject Pruned, IReadOnlyList<string> Problems);

/// <summary>Strict decoding: unknown fields, duplicate fields and wrong types.</summary>
public static class FieldValidation
{
    /// <summary>Decodes a request body of a resource.</summary>
    /// <exception cref="Errors.ApiException">400: no JSON object, or a value of the wrong type.</exception>
    public static FieldCheck Check(ResourceInfo resource, ReadOnlySpan<byte> json) => throw new NotImplementedException();

    /// <summary>Decodes a body of a named type, for example DeleteOptions or Binding.</summary>
    /// <exception cref="Errors.ApiException">400: no JSON object, or a value of the wrong type.</exception>
    public static FieldCheck Check(SchemaType type, ReadOnlySpan<byte> json) => throw new NotImplementedException();

    /// <summary>Checks an object that was made already, for example by a patch.</summary>
    /// <exception cref="Errors.ApiException">400: a value of the wrong type.</exception>
    public static FieldCheck Check(SchemaType type, JsonObject obj) => throw new NotImplementedException();
}

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Defaulting;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Api.Schema;
using Podhost.Api.Validation;
using Podhost.Api.Yaml;

namespace Podhost.Kubelet.Sources;

/// <summary>The text of a manifest (JSON or YAML) as an object; what is wrong is told with the line and the field where it stands.</summary>
internal sealed class ManifestReader(byte[] content)
{
    private string? text;

    /// <summary>The object, syntax apart not checked.</summary>
    /// <exception cref="FormatException">The text is no JSON and no YAML object.</exception>
    public JsonObject Parse()
    {
        try
        {
            return content.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("{"u8)
                ? JsonText.Parse(content) as JsonObject ?? throw new FormatException("the document is not a JSON object")
                : YamlReader.ReadObject(content);
        }
        catch (JsonException e)
        {
            throw new FormatException(e.LineNumber is { } line ? $"line {line + 1}: {Sentence(e.Message)}" : e.Message, e);
        }
    }

    /// <summary>The object as the API server would take it: typed, defaulted, valid.</summary>
    /// <returns>The object without fields that its kind does not have, and a sentence about each of those.</returns>
    /// <exception cref="FormatException">A field is wrong.</exception>
    public (JsonObject Object, IReadOnlyList<string> Unknown) Check(ResourceInfo resource, JsonObject json)
    {
        try
        {
            var check = FieldValidation.Decode(resource, json);
            ObjectDefaulter.Apply(resource, check.Pruned);
            return ObjectValidator.ValidateCreate(resource, check.Pruned) is { Count: > 0 } errors
                ? throw new FormatException(string.Join(", ", errors.Select(e => At(e.Field) + e)))
                : (check.Pruned, [.. check.Problems.Select(p => At(p.Split('"') is [_, var field, ..] ? field : "") + p)]);
        }
        catch (DecodeException e)
        {
            throw new FormatException(At(e.Field) + (e.Field.Length > 0 ? $"{e.Field}: {e.Message}" : e.Message), e);
        }
        catch (JsonException e)
        {
            throw new FormatException(e.Message, e);
        }
    }

    /// <summary>A fault of a field, with its line.</summary>
    public FormatException Fault(string field, string message) => new($"{At(field)}{field}: {message}");

    private string At(string field) =>
        YamlLines.Of(text ??= Encoding.UTF8.GetString(content), field) is > 0 and var line ? $"line {line}: " : "";

    // The library adds the place in its own words.
    private static string Sentence(string message) =>
        message.IndexOf(" Path:", StringComparison.Ordinal) is >= 0 and var end ? message[..end]
        : message.IndexOf(" LineNumber:", StringComparison.Ordinal) is >= 0 and var place ? message[..place]
        : message;
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Resources;
using Podhost.Api.Schema;
using Podhost.Api.Validation;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.CustomResources;

/// <summary>Custom objects on their way in and out: decoding, defaults, validation, views of other versions. Pure.</summary>
public static class CustomObjects
{
    private const string Metadata = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    private const int MaxProblems = 100;

    /// <summary>Decodes a body: fields that the schema does not know are dropped and told.</summary>
    /// <exception cref="DecodeException">The body is no object, or its metadata has a value of the wrong type.</exception>
    /// <exception cref="JsonException">The body is no JSON.</exception>
    internal static FieldCheck Decode(CustomKind kind, ReadOnlySpan<byte> json)
    {
        var problems = new List<string>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 128 });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new DecodeException("json: cannot unmarshal " + JsonTypes.Describe(ref reader) + " into Go value of type map[string]interface {}");
        }

        var obj = (JsonObject)new FreeReader(problems).Read(ref reader)!;
        if (reader.Read())
        {
            throw new JsonException("invalid data after top-level value");
        }

        DecodeMetadata(obj, problems);
        var unknown = new List<string>();
        Prune(kind, obj, unknown);
        problems.AddRange(unknown.Select(path => $"unknown field \"{path}\""));
        return new FieldCheck(obj, [.. problems.Take(MaxProblems)]);
    }

    /// <summary>Sets what is unset and has a default.</summary>
    public static void Default(CustomKind kind, JsonObject obj)
    {
        if (kind.Schema is { } schema)
        {
            CustomDefaults.Apply(obj, schema);
        }
    }

    /// <summary>The stored object as a version shows it: its own schema says which fields there are and which defaults. In place.</summary>
    public static void ToVersion(ResourceInfo resource, JsonObject obj)
    {
        obj["apiVersion"] = resource.ApiVersion;
        obj["kind"] = resource.Kind;
        Prune(resource.Custom!, obj, null);
        Default(resource.Custom!, obj);
    }

    internal static void Validate(ResourceInfo resource, JsonObject obj, JsonObject? old, List<FieldError> faults)
    {
        var (root, before) = (new Field(obj, faults), new Field(old, []));
        if (old is null)
        {
            ObjectMetaRules.CheckCreate(root["metadata"], resource.Namespaced, Names.DnsSubdomain, isExtension: true);
        }
        else
        {
            ObjectMetaRules.CheckUpdate(root["metadata"], before["metadata"], isExtension: true);
        }

        if (resource.Custom!.Schema is { } schema)
        {
            faults.AddRange(CustomValidator.Validate(schema, obj, "", old));
            faults.AddRange(EmbeddedResources.Faults(schema, obj, ""));
            var duplicates = ListKeys.Duplicates(schema, obj, "").ToList();
            var known = old is null ? [] : ListKeys.Duplicates(schema, old, "").ToHashSet();
            faults.AddRange(duplicates.Where(d => !known.Contains(d)));
        }
    }

    private static void Prune(CustomKind kind, JsonObject obj, List<string>? removed)
    {
        if (kind.Schema is { } schema)
        {
            Pruning.Prune(obj, schema, removed);
        }
    }

    private static void DecodeMetadata(JsonObject obj, List<string> problems)
    {
        if (obj["metadata"] is not JsonObject metadata)
        {
            if (obj["metadata"] is { } other)
            {
                var kind = other is JsonArray ? "array" : other.GetValueKind() == JsonValueKind.String ? "string" : "number";
                throw new DecodeException($"json: cannot unmarshal {kind} into Go struct field ObjectMeta.metadata of type v1.ObjectMeta");
            }

            obj.Remove("metadata");
            return;
        }

        var found = new List<string>();
        var reader = new Utf8JsonReader(Objects.ObjectCodec.ToUtf8((JsonNode)metadata), new JsonReaderOptions { MaxDepth = 128 });
        reader.Read();
        obj["metadata"] = new SchemaDecoder(found).ReadObject(ref reader, SchemaCatalog.Get(Metadata));
        problems.AddRange(found.Select(p => p.Replace("field \"", "field \"metadata.", StringComparison.Ordinal)));
    }

    /// <summary>Reads any JSON; of a name that occurs twice the last value stays, and the name is told.</summary>
    private sealed class FreeReader(List<string> problems)
    {
        private readonly FieldPath path = new();

        public JsonNode? Read(ref Utf8JsonReader reader) => reader.TokenType switch
        {
            JsonTokenType.StartObject => ReadObject(ref reader),
            JsonTokenType.StartArray => ReadList(ref reader),
            _ => JsonNode.Parse(ref reader),
        };

        private JsonObject ReadObject(ref Utf8JsonReader reader)
        {
            var obj = new JsonObject();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                path.Push(name);
                if (obj.ContainsKey(name))
                {
                    problems.Add($"duplicate field \"{path}\"");
                }

                obj[name] = Read(ref reader);
                path.Pop();
            }

            return obj;
        }

        private JsonArray ReadList(ref Utf8JsonReader reader)
        {
            var list = new JsonArray();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                path.PushIndex(list.Count);
                list.Add(Read(ref reader));
                path.Pop();
            }

            return list;
        }
    }
}

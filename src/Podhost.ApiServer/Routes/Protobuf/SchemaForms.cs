using System.Text;
using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.ApiServer.Routes.Protobuf;

/// <summary>Fields of JSON schemas that are one of several things in JSON and a message with a field for each in protobuf.</summary>
/// <remarks>apiextensions/v1: JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, JSONSchemaPropsOrStringArray; and messages without fields.</remarks>
internal static class SchemaForms
{
    private const string Schema = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

    /// <summary>Reads a field's message into an object.</summary>
    /// <exception cref="FormatException">The data is broken.</exception>
    public static void Read(JsonObject obj, ProtobufField field, ReadOnlySpan<byte> data, int depth)
    {
        switch (field.Form)
        {
            case "empty":
                obj[field.Name] = new JsonObject();
                break;
            case "schema":
                obj[field.Name] = ReadForm(data, schema: 1, list: 2, depth, isText: false);
                break;
            case "schemaOrBool":
                obj[field.Name] = ReadForm(data, schema: 2, list: 0, depth, isText: false) ?? (JsonNode)ReadFlag(data);
                break;
            case "schemaOrStrings":
                ReadEntry(obj, field.Name, data, depth);
                break;
            default:
                throw new FormatException($"proto: the form {field.Form} is not known");
        }
    }

    // The schema where there is one, else the list, else null.
    private static JsonNode? ReadForm(ReadOnlySpan<byte> data, int schema, int list, int depth, bool isText)
    {
        JsonObject? single = null;
        JsonArray? several = null;
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            var (number, wire) = reader.ReadTag();
            if (wire != WireType.Bytes || (number != schema && number != list))
            {
                reader.Skip(wire);
            }
            else if (number == schema)
            {
                single = ProtobufDecoder.Decode(SchemaCatalog.Get(Schema), reader.ReadBytes(), depth);
            }
            else
            {
                var item = reader.ReadBytes();
                (several ??= []).Add(isText ? Encoding.UTF8.GetString(item) : ProtobufDecoder.Decode(SchemaCatalog.Get(Schema), item, depth));
            }
        }

        return single ?? (JsonNode?)several;
    }

    private static bool ReadFlag(ReadOnlySpan<byte> data)
    {
        var flag = false;
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            var (number, wire) = reader.ReadTag();
            if (number == 1 && wire == WireType.Varint)
            {
                flag = reader.ReadVarint() != 0;
            }
            else
            {
                reader.Skip(wire);
            }
        }

        return flag;
    }

    private static void ReadEntry(JsonObject obj, string name, ReadOnlySpan<byte> data, int depth)
    {
        if (obj[name] is not JsonObject map)
        {
            obj[name] = map = [];
        }

        var (key, value) = ("", (JsonNode?)null);
        var reader = new WireReader(data);
        while (!reader.IsAtEnd)
        {
            var (number, wire) = reader.ReadTag();
            switch (number)
            {
                case 1 when wire == WireType.Bytes:
                    key = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case 2 when wire == WireType.Bytes:
                    value = ReadForm(reader.ReadBytes(), schema: 1, list: 2, depth, isText: true);
                    break;
                default:
                    reader.Skip(wire);
                    break;
            }
        }

        map[key] = value;
    }
}

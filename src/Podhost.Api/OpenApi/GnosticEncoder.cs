using System.Text.Json;

namespace Podhost.Api.OpenApi;

/// <summary>
/// A version 2 document as the protobuf message openapi.v2.Document of gnostic's OpenAPIv2.proto. Field numbers are from that file.
/// Only what <see cref="DocumentBuilder"/> writes is translated.
/// </summary>
internal static class GnosticEncoder
{
    public static byte[] Encode(JsonElement document)
    {
        var w = new ProtoWriter();
        w.String(1, Text(document, "swagger"));
        w.Message(2, info =>
        {
            info.String(1, Text(document.GetProperty("info"), "title"));
            info.String(2, Text(document.GetProperty("info"), "version"));
        });
        w.Message(8, paths => Named(paths, 2, document.GetProperty("paths"), PathItem));
        w.Message(9, definitions => Named(definitions, 1, document.GetProperty("definitions"), GnosticSchemaEncoder.Write));
        w.Message(13, security => Named(security, 1, document.GetProperty("securityDefinitions"), (item, e) => item.Message(2, key =>
        {
            key.String(1, Text(e, "type"));
            key.String(2, Text(e, "name"));
            key.String(3, Text(e, "in"));
            key.String(4, Text(e, "description"));
        })));
        return w.ToArray();
    }

    /// <summary>A map as repeated messages of name (1) and value (2).</summary>
    public static void Named(ProtoWriter w, int field, JsonElement map, Action<ProtoWriter, JsonElement> value)
    {
        foreach (var member in map.EnumerateObject())
        {
            w.Message(field, named =>
            {
                named.String(1, member.Name);
                named.Message(2, v => value(v, member.Value));
            });
        }
    }

    /// <summary>Members that begin with <c>x-</c>; their values are YAML, of which JSON is a part.</summary>
    public static void Extensions(ProtoWriter w, int field, JsonElement obj)
    {
        foreach (var member in obj.EnumerateObject().Where(m => m.Name.StartsWith("x-", StringComparison.Ordinal)))
        {
            w.Message(field, named =>
            {
                named.String(1, member.Name);
                named.Message(2, any => any.String(2, member.Value.GetRawText()));
            });
        }
    }

    public static string? Text(JsonElement obj, string name) => obj.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static void PathItem(ProtoWriter w, JsonElement path)
    {
        foreach (var (field, method) in new[] { (2, "get"), (3, "put"), (4, "post"), (5, "delete"), (8, "patch") })
        {
            if (path.TryGetProperty(method, out var operation))
            {
                w.Message(field, o => Operation(o, operation));
            }
        }

        Parameters(w, 9, path);
    }

    private static void Operation(ProtoWriter w, JsonElement operation)
    {
        w.String(3, Text(operation, "description"));
        w.String(5, Text(operation, "operationId"));
        Strings(w, 6, operation, "produces");
        Strings(w, 7, operation, "consumes");
        Parameters(w, 8, operation);
        w.Message(9, responses => Named(responses, 1, operation.GetProperty("responses"), (value, e) => value.Message(1, response =>
        {
            response.String(1, Text(e, "description"));
            if (e.TryGetProperty("schema", out var schema))
            {
                response.Message(2, item => item.Message(1, s => GnosticSchemaEncoder.Write(s, schema)));
            }
        })));
        Extensions(w, 13, operation);
    }

    private static void Parameters(ProtoWriter w, int field, JsonElement owner)
    {
        if (!owner.TryGetProperty("parameters", out var parameters))
        {
            return;
        }

        foreach (var parameter in parameters.EnumerateArray())
        {
            w.Message(field, item => item.Message(1, p => Parameter(p, parameter)));
        }
    }

    private static void Parameter(ProtoWriter w, JsonElement parameter)
    {
        var place = Text(parameter, "in");
        if (place == "body")
        {
            w.Message(1, body =>
            {
                body.String(2, Text(parameter, "name"));
                body.String(3, place);
                body.Boolean(4, parameter.GetProperty("required").GetBoolean());
                body.Message(5, s => GnosticSchemaEncoder.Write(s, parameter.GetProperty("schema")));
            });
            return;
        }

        // Query and path parameters differ in one field before the type.
        var isQuery = place == "query";
        w.Message(2, any => any.Message(isQuery ? 3 : 4, p =>
        {
            p.Boolean(1, parameter.TryGetProperty("required", out var required) && required.GetBoolean());
            p.String(2, place);
            p.String(3, Text(parameter, "description"));
            p.String(4, Text(parameter, "name"));
            p.String(isQuery ? 6 : 5, Text(parameter, "type"));
            p.Boolean(isQuery ? 20 : 19, true);
        }));
    }

    private static void Strings(ProtoWriter w, int field, JsonElement obj, string name)
    {
        foreach (var value in obj.GetProperty(name).EnumerateArray())
        {
            w.String(field, value.GetString());
        }
    }
}

using System.Text.Json;

namespace Podhost.Api.OpenApi;

/// <summary>Writes paths and operations in either dialect.</summary>
internal sealed class PathDocumentWriter(Utf8JsonWriter json, Dialect dialect, SchemaDocumentWriter schemas)
{
    private const string Json = "application/json";

    private static readonly string[] PatchTypes =
        ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

    /// <summary>Writes the paths as members of the current object.</summary>
    public void WriteAll(IEnumerable<ApiPath> paths)
    {
        foreach (var path in paths)
        {
            json.WriteStartObject(path.Path);
            WritePathParameters(path);
            foreach (var operation in path.Operations)
            {
                WriteOperation(operation);
            }

            json.WriteEndObject();
        }
    }

    private void WritePathParameters(ApiPath path)
    {
        json.WriteStartArray("parameters");
        foreach (var name in path.PathParameters)
        {
            WriteParameter(new ApiParameter(name, "string", name == "name" ? "name of the object" : "namespace of the object"), "path");
        }

        WriteParameter(new ApiParameter("pretty", "string", "Indents the answer."), "query");
        json.WriteEndArray();
    }

    private void WriteOperation(ApiOperation operation)
    {
        json.WriteStartObject(operation.Method);
        json.WriteString("description", operation.Description);
        json.WriteString("operationId", operation.Id);
        if (dialect == Dialect.V2)
        {
            WriteMediaTypes(operation);
        }

        WriteOperationParameters(operation);
        if (dialect == Dialect.V3 && operation.Body is { } body)
        {
            json.WriteStartObject("requestBody");
            WriteContent(body, TypesOf(operation));
            json.WriteEndObject();
        }

        WriteResponses(operation);
        if (operation.Action.Length > 0)
        {
            json.WriteString("x-kubernetes-action", operation.Action);
        }

        if (operation.Kind is { } kind)
        {
            json.WritePropertyName("x-kubernetes-group-version-kind");
            SchemaDocumentWriter.WriteKind(json, kind);
        }

        json.WriteEndObject();
    }

    private void WriteMediaTypes(ApiOperation operation)
    {
        json.WriteStartArray("consumes");
        foreach (var type in operation.Method == "patch" ? PatchTypes : ["*/*"])
        {
            json.WriteStringValue(type);
        }

        json.WriteEndArray();
        json.WriteStartArray("produces");
        json.WriteStringValue(operation.Result is null ? "*/*" : Json);
        json.WriteEndArray();
    }

    private void WriteOperationParameters(ApiOperation operation)
    {
        var bodyIsParameter = dialect == Dialect.V2 && operation.Body is not null;
        if (operation.Parameters.Count == 0 && !bodyIsParameter)
        {
            return;
        }

        json.WriteStartArray("parameters");
        if (bodyIsParameter)
        {
            json.WriteStartObject();
            json.WriteString("in", "body");
            json.WriteString("name", "body");
            json.WriteBoolean("required", operation.Method != "delete");
            json.WritePropertyName("schema");
            schemas.WriteReference(operation.Body!);
            json.WriteEndObject();
        }

        foreach (var parameter in operation.Parameters)
        {
            WriteParameter(parameter, "query");
        }

        json.WriteEndArray();
    }

    private void WriteParameter(ApiParameter parameter, string place)
    {
        json.WriteStartObject();
        json.WriteString("description", parameter.Description);
        json.WriteString("in", place);
        json.WriteString("name", parameter.Name);
        if (place == "path")
        {
            json.WriteBoolean("required", true);
        }

        if (dialect == Dialect.V3)
        {
            json.WriteStartObject("schema");
        }

        json.WriteString("type", parameter.Type);
        json.WriteBoolean("uniqueItems", true);
        if (dialect == Dialect.V3)
        {
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteResponses(ApiOperation operation)
    {
        json.WriteStartObject("responses");
        json.WriteStartObject("200");
        json.WriteString("description", "OK");
        switch (operation.Result, dialect)
        {
            case (null, _):
                break;
            case (var type, Dialect.V3):
                WriteContent(type, [Json, "application/yaml"]);
                break;
            case (var type, _):
                json.WritePropertyName("schema");
                schemas.WriteReference(type);
                break;
        }

        json.WriteEndObject();
        json.WriteStartObject("401");
        json.WriteString("description", "Unauthorized");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteContent(string type, IReadOnlyList<string> mediaTypes)
    {
        json.WriteStartObject("content");
        foreach (var mediaType in mediaTypes)
        {
            json.WriteStartObject(mediaType);
            json.WritePropertyName("schema");
            schemas.WriteReference(type);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static IReadOnlyList<string> TypesOf(ApiOperation operation) => operation.Method == "patch" ? PatchTypes : ["*/*"];
}

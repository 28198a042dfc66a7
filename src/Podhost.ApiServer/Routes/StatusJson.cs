using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;

namespace Podhost.ApiServer.Routes;

/// <summary>A Status as JSON. The model's own converter only reads.</summary>
internal static class StatusJson
{
    public static byte[] ToUtf8(V1Status status)
    {
        var obj = new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = Metadata(status.Metadata) };
        Set(obj, "status", status.Status);
        Set(obj, "message", status.Message);
        Set(obj, "reason", status.Reason);
        if (status.Details is { } details)
        {
            obj["details"] = Details(details);
        }

        obj["code"] = status.Code;
        return ObjectCodec.ToUtf8(obj);
    }

    private static JsonObject Metadata(V1ListMeta? meta)
    {
        var obj = new JsonObject();
        Set(obj, "resourceVersion", meta?.ResourceVersion);
        Set(obj, "continue", meta?.ContinueProperty);
        return obj;
    }

    private static JsonObject Details(V1StatusDetails details)
    {
        var obj = new JsonObject();
        Set(obj, "name", details.Name);
        Set(obj, "group", details.Group);
        Set(obj, "kind", details.Kind);
        Set(obj, "uid", details.Uid);
        if (details.Causes is { Count: > 0 } causes)
        {
            obj["causes"] = new JsonArray([.. causes.Select(c => (JsonNode)Cause(c))]);
        }

        if (details.RetryAfterSeconds is { } seconds)
        {
            obj["retryAfterSeconds"] = seconds;
        }

        return obj;
    }

    private static JsonObject Cause(V1StatusCause cause)
    {
        var obj = new JsonObject();
        Set(obj, "reason", cause.Reason);
        Set(obj, "message", cause.Message);
        Set(obj, "field", cause.Field);
        return obj;
    }

    private static void Set(JsonObject obj, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            obj[name] = value;
        }
    }
}

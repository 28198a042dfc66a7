using System.Globalization;
using System.Text.Json.Nodes;

namespace Podhost.Client.Tests.Fakes;

/// <summary>A server of single objects by path, with resourceVersion conflicts and merge patches of one level.</summary>
internal sealed class ObjectServer
{
    private readonly Lock _gate = new();
    private int _revision;

    internal Dictionary<string, JsonObject> Objects { get; } = [];

    /// <summary>Thrown instead of an answer while set.</summary>
    internal Func<HttpRequestMessage, HttpResponseMessage?>? Fault { get; set; }

    internal HttpResponseMessage Answer(HttpRequestMessage request, string body)
    {
        lock (_gate)
        {
            if (Fault?.Invoke(request) is { } fault)
            {
                return fault;
            }

            var path = request.RequestUri!.AbsolutePath;
            var sent = body.Length == 0 ? null : (JsonObject)JsonNode.Parse(body)!;
            switch (request.Method.Method)
            {
                case "POST":
                    var key = $"{path}/{sent!["metadata"]!["name"]}";
                    return Objects.ContainsKey(key) ? FakeHandler.Status(409, "AlreadyExists", "exists") : Store(key, sent);
                case "PUT" when Objects.TryGetValue(path, out var there):
                    return (string?)there["metadata"]!["resourceVersion"] == (string?)sent!["metadata"]!["resourceVersion"]
                        ? Store(path, sent)
                        : FakeHandler.Status(409, "Conflict", "modified");
                case "PATCH" when Objects.TryGetValue(path, out var there):
                    foreach (var (name, value) in sent!.ToList())
                    {
                        there[name] = value?.DeepClone();
                    }

                    return Store(path, there);
                case "GET" when Objects.TryGetValue(path, out var there):
                    return FakeHandler.Json(there.ToJsonString());
                default:
                    return FakeHandler.Status(404, "NotFound", path);
            }
        }
    }

    private HttpResponseMessage Store(string path, JsonObject obj)
    {
        obj["metadata"]!["resourceVersion"] = (++_revision).ToString(CultureInfo.InvariantCulture);
        Objects[path] = obj;
        return FakeHandler.Json(obj.ToJsonString());
    }
}

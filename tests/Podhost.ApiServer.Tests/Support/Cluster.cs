using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Hosting;
using Podhost.Storage.Memory;

namespace Podhost.ApiServer.Tests.Support;

/// <summary>A server on a memory store, reached through the in-process transport as an administrator.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    public static readonly UserInfo Admin = new("admin", [UserInfo.Masters, UserInfo.Authenticated]);
    private readonly HttpMessageInvoker _invoker;

    private Cluster(MemoryStore store, Hosting.ApiServer server)
    {
        Store = store;
        Server = server;
        _invoker = new HttpMessageInvoker(server.CreateInProcessHandler(Admin));
    }

    public MemoryStore Store { get; }

    public Hosting.ApiServer Server { get; }

    public static CancellationToken Deadline => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    public static async Task<Cluster> StartAsync(
        Func<ApiServerOptions, ApiServerOptions>? options = null, Func<ApiServerDependencies, ApiServerDependencies>? dependencies = null, MemoryStore? store = null)
    {
        store ??= new MemoryStore();
        var settings = new ApiServerOptions { Listen = false, SecurePort = 0, BindAddress = IPAddress.Loopback };
        var parts = new ApiServerDependencies { Store = store };
        var server = new Hosting.ApiServer(options?.Invoke(settings) ?? settings, dependencies?.Invoke(parts) ?? parts);
        await server.StartAsync(Deadline);
        await server.Ready.WaitAsync(Deadline);
        return new Cluster(store, server);
    }

    public HttpMessageInvoker As(UserInfo user) => new(Server.CreateInProcessHandler(user));

    public async Task<Answer> SendAsync(
        HttpMethod method, string path, string? body = null, string contentType = "application/json", string? accept = null, HttpMessageInvoker? via = null, params (string, string)[] headers)
    {
        using var request = new HttpRequestMessage(method, "http://in-process" + path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await (via ?? _invoker).SendAsync(request, Deadline);
        var text = await response.Content.ReadAsStringAsync(Deadline);
        var warnings = response.Headers.TryGetValues("Warning", out var w) ? w.ToList() : [];
        return new Answer((int)response.StatusCode, text, warnings, response.Content.Headers.ContentType?.ToString() ?? "");
    }

    public Task<Answer> GetAsync(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, accept: accept);

    public Task<Answer> PostAsync(string path, string body) => SendAsync(HttpMethod.Post, path, body);

    public Task<Answer> PutAsync(string path, string body) => SendAsync(HttpMethod.Put, path, body);

    public Task<Answer> DeleteAsync(string path, string? body = null) => SendAsync(HttpMethod.Delete, path, body);

    public Task<Answer> MergeAsync(string path, string body) => SendAsync(HttpMethod.Patch, path, body, "application/merge-patch+json");

    /// <summary>Creates an object and returns what the server made of it.</summary>
    public async Task<JsonObject> CreateAsync(string path, string body)
    {
        var answer = await PostAsync(path, body);
        Assert.True(answer.Code == 201, answer.Text);
        return answer.Json;
    }

    /// <summary>Opens a watch.</summary>
    public async Task<WatchReader> WatchAsync(string path, string? accept = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "http://in-process" + path);
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        var response = await _invoker.SendAsync(request, Deadline);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new WatchReader(response, new StreamReader(await response.Content.ReadAsStreamAsync(Deadline)));
    }

    public static string ConfigMap(string name, string data = "1", string labels = "{}") =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}","labels":{{{labels}}}},"data":{"k":"{{{data}}}"}}""";

    public static string Pod(string name, string extraSpec = "") =>
        $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","labels":{"app":"{{{name}}}"}},"spec":{"containers":[{"name":"c","image":"busybox"}]{{{extraSpec}}}}}""";

    public async ValueTask DisposeAsync()
    {
        _invoker.Dispose();
        await Server.DisposeAsync();
        await Store.DisposeAsync();
    }
}

/// <summary>A response that was read whole.</summary>
internal sealed record Answer(int Code, string Text, IReadOnlyList<string> Warnings, string ContentType)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    public string Message => Json["message"]?.GetValue<string>() ?? "";

    public string Reason => Json["reason"]?.GetValue<string>() ?? "";
}

/// <summary>Reads the events of a watch.</summary>
internal sealed class WatchReader(HttpResponseMessage response, StreamReader reader) : IDisposable
{
    /// <summary>The next event, or null where the watch has ended.</summary>
    public async Task<(string Type, JsonObject Object)?> NextAsync()
    {
        var line = await reader.ReadLineAsync(Cluster.Deadline);
        if (line is null)
        {
            return null;
        }

        var e = JsonNode.Parse(line)!.AsObject();
        return (e["type"]!.GetValue<string>(), e["object"]!.AsObject());
    }

    /// <summary>The next event as <c>TYPE name</c>.</summary>
    public async Task<string> NextTextAsync() =>
        await NextAsync() is var (type, obj) ? $"{type} {obj["metadata"]?["name"]?.GetValue<string>()}" : "END";

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }
}

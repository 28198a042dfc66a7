using Microsoft.AspNetCore.Http;

namespace Podhost.Kubelet.Server.Http;

/// <summary>The authorization terms of a request (upstream: kubelet authentication/authorization reference).</summary>
internal static class RequestAccess
{
    /// <summary>The subresources of nodes of which one must be allowed, the most specific first.</summary>
    public static IReadOnlyList<string> Subresources(string path) => First(path) switch
    {
        "stats" => ["stats"],
        "metrics" => ["metrics"],
        "logs" => ["log"],
        "checkpoint" => ["checkpoint"],
        "pods" or "runningpods" => ["pods", "proxy"],
        "healthz" => ["healthz", "proxy"],
        "configz" => ["configz", "proxy"],
        _ => ["proxy"],
    };

    /// <summary>The verb. Running something in a container is create whatever the method: a WebSocket can only be asked for by GET.</summary>
    public static string Verb(string method, string path) =>
        First(path) is "exec" or "attach" or "portForward" or "run" ? "create"
        : HttpMethods.IsPost(method) ? "create"
        : HttpMethods.IsPut(method) ? "update"
        : HttpMethods.IsPatch(method) ? "patch"
        : HttpMethods.IsDelete(method) ? "delete"
        : "get";

    private static string First(string path) => path.TrimStart('/').Split('/')[0];
}

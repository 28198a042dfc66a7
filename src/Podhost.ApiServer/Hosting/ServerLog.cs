using Microsoft.Extensions.Logging;

namespace Podhost.ApiServer.Hosting;

/// <summary>Log messages of the API server.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Warning, "The store compacted what the caches had not read yet (oldest revision {CompactRevision}); listing anew")]
    public static partial void CacheCompacted(ILogger logger, long compactRevision);

    [LoggerMessage(2, LogLevel.Error, "The caches lost the store; trying again in a second")]
    public static partial void CacheFailed(ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "Request {Method} {Path} failed, audit ID {AuditId}")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string path, string auditId);

    [LoggerMessage(4, LogLevel.Debug, "{Method} {Path} by {User}: {Code} in {Milliseconds:F1} ms")]
    public static partial void RequestServed(ILogger logger, string method, string path, string user, int code, double milliseconds);

    [LoggerMessage(5, LogLevel.Information, "Serving the Kubernetes API on {Address}")]
    public static partial void Serving(ILogger logger, string address);

    [LoggerMessage(7, LogLevel.Warning, "No metrics of node {Node}: {Error}")]
    public static partial void NoMetrics(ILogger logger, string node, string error);

    [LoggerMessage(8, LogLevel.Error, "Could not bring the definition {Definition} up to date; trying again")]
    public static partial void DefinitionFailed(ILogger logger, Exception exception, string definition);

    [LoggerMessage(9, LogLevel.Warning, "Failed calling webhook {Webhook}, which its failurePolicy ignores: {Error}")]
    public static partial void WebhookFailed(ILogger logger, string webhook, string error);

    [LoggerMessage(10, LogLevel.Error, "Could not bring the APIServices up to date; trying again at the next change")]
    public static partial void ApiServicesFailed(ILogger logger, Exception exception);

    [LoggerMessage(6, LogLevel.Error, "Could not make the namespace {Namespace}; trying again")]
    public static partial void BootstrapFailed(ILogger logger, Exception exception, string @namespace);
}

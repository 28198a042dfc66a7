using System.Globalization;
using System.Text;
using Podhost.ApiServer.Routes;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Discovery;

/// <summary>/metrics in Prometheus' text format.</summary>
internal sealed class MetricsHandler(RequestMetrics requests, ObjectCaches caches, ConcurrencyLimiter readers, ConcurrencyLimiter writers)
{
    public ValueTask HandleAsync(RequestContext context)
    {
        var text = new StringBuilder(8 * 1024);
        requests.Write(text);
        text.Append("# HELP apiserver_current_inflight_requests Requests that are being served, by kind.\n");
        text.Append("# TYPE apiserver_current_inflight_requests gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"apiserver_current_inflight_requests{{request_kind=\"readOnly\"}} {readers.InFlight}\n");
        text.Append(CultureInfo.InvariantCulture, $"apiserver_current_inflight_requests{{request_kind=\"mutating\"}} {writers.InFlight}\n");
        text.Append("# HELP apiserver_storage_objects Number of stored objects, by resource.\n# TYPE apiserver_storage_objects gauge\n");
        text.Append("# TYPE apiserver_watch_cache_watchers gauge\n");
        foreach (var cache in caches.All)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"apiserver_storage_objects{{resource=\"{cache.Resource.QualifiedName}\"}} {cache.Snapshot.Objects.Count}\n");
            text.Append(CultureInfo.InvariantCulture,
                $"apiserver_watch_cache_watchers{{resource=\"{cache.Resource.QualifiedName}\"}} {cache.WatcherCount}\n");
        }

        return ResponseWriter.WriteBytesAsync(context, 200, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(text.ToString()));
    }
}

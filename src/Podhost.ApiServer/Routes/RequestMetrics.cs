using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Routes;

/// <summary>Counters and durations of requests under Kubernetes' metric names.</summary>
internal sealed class RequestMetrics
{
    private static readonly double[] Buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 5, 10, 30, 60];
    private readonly ConcurrentDictionary<Key, Counter> _requests = new();
    private readonly ConcurrentDictionary<Key, Histogram> _durations = new();

    /// <summary>Counts one finished request.</summary>
    /// <param name="info">The request.</param>
    /// <param name="served">What its path names; null where nothing is served there.</param>
    /// <param name="code">HTTP status.</param>
    /// <param name="elapsed">How long it took.</param>
    public void Record(RequestInfo info, ResourceInfo? served, int code, TimeSpan elapsed)
    {
        var verb = info.IsResource ? info.Verb.ToUpperInvariant() : info.Verb is "get" or "head" ? "GET" : "OTHER";

        // Only what is served becomes a label: a client must not be able to make series.
        var known = served is { } resource
            ? new Key(verb, resource.Group, resource.Version, resource.Plural, resource.Subresources.Any(s => s.Name == info.Subresource) ? info.Subresource : "", code)
            : new Key(verb, "", "", "", "", code);
        Interlocked.Increment(ref _requests.GetOrAdd(known, _ => new Counter()).Value);
        if (info.Verb != "watch")
        {
            _durations.GetOrAdd(known with { Code = 0 }, _ => new Histogram()).Observe(elapsed.TotalSeconds);
        }
    }

    /// <summary>The metrics in Prometheus' text format.</summary>
    public void Write(StringBuilder to)
    {
        to.Append("# HELP apiserver_request_total Counter of apiserver requests.\n# TYPE apiserver_request_total counter\n");
        foreach (var (key, count) in _requests)
        {
            to.Append(CultureInfo.InvariantCulture, $"apiserver_request_total{{code=\"{key.Code}\",{key.Labels}}} {Interlocked.Read(ref count.Value)}\n");
        }

        to.Append("# HELP apiserver_request_duration_seconds Response latency distribution in seconds.\n# TYPE apiserver_request_duration_seconds histogram\n");
        foreach (var (key, histogram) in _durations)
        {
            histogram.Write(to, key.Labels);
        }
    }

    private sealed class Counter
    {
        public long Value;
    }

    private sealed record Key(string Verb, string Group, string Version, string Resource, string Subresource, int Code)
    {
        public string Labels => $"group=\"{Group}\",resource=\"{Resource}\",subresource=\"{Subresource}\",verb=\"{Verb}\",version=\"{Version}\"";
    }

    private sealed class Histogram
    {
        private readonly long[] _counts = new long[Buckets.Length + 1];
        private long _microseconds;

        public void Observe(double seconds)
        {
            var i = 0;
            while (i < Buckets.Length && seconds > Buckets[i])
            {
                i++;
            }

            Interlocked.Increment(ref _counts[i]);
            Interlocked.Add(ref _microseconds, (long)(seconds * 1_000_000));
        }

        public void Write(StringBuilder to, string labels)
        {
            const string name = "apiserver_request_duration_seconds";
            var sum = 0L;
            for (var i = 0; i <= Buckets.Length; i++)
            {
                sum += Interlocked.Read(ref _counts[i]);
                var bound = i < Buckets.Length ? Buckets[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
                to.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels},le=\"{bound}\"}} {sum}\n");
            }

            to.Append(CultureInfo.InvariantCulture, $"{name}_sum{{{labels}}} {Interlocked.Read(ref _microseconds) / 1e6}\n");
            to.Append(CultureInfo.InvariantCulture, $"{name}_count{{{labels}}} {sum}\n");
        }
    }
}

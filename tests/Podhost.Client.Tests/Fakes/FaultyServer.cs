using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;

namespace Podhost.Client.Tests.Fakes;

/// <summary>A server of ConfigMaps with history, whose list and watch can be made to fail in every way that real ones do.</summary>
internal sealed class FaultyServer
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<(long Revision, string Line)> _history = [];
    private readonly List<ChannelStream> _watches = [];
    private long _revision = 10;
    private long _compacted;
    private int _failures;
    private int _uid;

    internal bool RefusesWatchList { get; set; }

    /// <summary>Every event is sent twice.</summary>
    internal bool Duplicates { get; set; }

    internal int Lists { get; private set; }

    internal int Watches { get; private set; }

    internal IReadOnlyDictionary<string, string> Versions
    {
        get
        {
            lock (_gate)
            {
                return _objects.ToDictionary(o => o.Key, o => (string)o.Value["metadata"]!["resourceVersion"]!);
            }
        }
    }

    internal void Put(string name) => Change(name, isDelete: false);

    internal void Delete(string name) => Change(name, isDelete: true);

    /// <summary>Cuts the open watches within an event.</summary>
    internal void CutMidLine() => EndWatches(s => s.Send("""{"type":"MODIFIED","object":{"metadata":{"na"""), null);

    internal void Reset() => EndWatches(_ => false, new IOException("reset"));

    internal void EndCleanly() => EndWatches(_ => false, null);

    /// <summary>Forgets history; open watches get an Error event, later ones with older revisions too.</summary>
    internal void Compact()
    {
        lock (_gate)
        {
            _compacted = _revision;
            _history.Clear();
        }

        EndWatches(s => s.Send("""{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old","reason":"Expired","code":410}}""" + "\n"), null);
    }

    internal void FailNext(int count) => Interlocked.Exchange(ref _failures, count);

    internal HttpResponseMessage Answer(HttpRequestMessage request, string body)
    {
        if (Interlocked.Decrement(ref _failures) >= 0)
        {
            return FakeHandler.Status(500, "InternalError", "injected");
        }

        var query = HttpUtility.ParseQueryString(request.RequestUri!.Query);
        lock (_gate)
        {
            return query["watch"] == "true" ? Watch(query) : List(query);
        }
    }

    private static string Event(string type, JsonObject obj) => new JsonObject { ["type"] = type, ["object"] = obj.DeepClone() }.ToJsonString() + "\n";

    private HttpResponseMessage List(System.Collections.Specialized.NameValueCollection query)
    {
        Lists++;
        var token = query["continue"]?.Split('|');
        var revision = token is null ? _revision : long.Parse(token[0], CultureInfo.InvariantCulture);
        if (revision < _compacted || (token is not null && revision != _revision))
        {
            return FakeHandler.Status(410, "Expired", "the continue token is too old");
        }

        var limit = int.TryParse(query["limit"], CultureInfo.InvariantCulture, out var l) ? l : int.MaxValue;
        var rest = _objects.Where(o => token is null || string.CompareOrdinal(o.Key, token[1]) > 0).ToList();
        var page = rest.Take(limit).ToList();
        var meta = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture) };
        if (page.Count < rest.Count)
        {
            meta["continue"] = $"{revision}|{page[^1].Key}";
        }

        var items = new JsonArray([.. page.Select(o => o.Value.DeepClone())]);
        return FakeHandler.Json(new JsonObject { ["kind"] = "ConfigMapList", ["apiVersion"] = "v1", ["metadata"] = meta, ["items"] = items }.ToJsonString());
    }

    private HttpResponseMessage Watch(System.Collections.Specialized.NameValueCollection query)
    {
        Watches++;
        var stream = new ChannelStream();
        if (query["sendInitialEvents"] == "true")
        {
            if (RefusesWatchList)
            {
                return FakeHandler.Status(422, "Invalid", "sendInitialEvents: Forbidden");
            }

            foreach (var obj in _objects.Values)
            {
                stream.Send(Event("ADDED", obj));
            }

            stream.Send(Event("BOOKMARK", new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["resourceVersion"] = _revision.ToString(CultureInfo.InvariantCulture),
                    ["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" },
                },
            }));
        }
        else
        {
            var from = long.Parse(query["resourceVersion"]!, CultureInfo.InvariantCulture);
            if (from < _compacted)
            {
                return FakeHandler.Status(410, "Expired", "too old resource version");
            }

            foreach (var (_, line) in _history.Where(h => h.Revision > from))
            {
                stream.Send(line);
            }
        }

        _watches.Add(stream);
        return FakeHandler.Stream(stream);
    }

    private void Change(string name, bool isDelete)
    {
        lock (_gate)
        {
            var existed = _objects.TryGetValue(name, out var old);
            if (isDelete && !existed)
            {
                return;
            }

            _revision++;
            var obj = existed ? (JsonObject)old!.DeepClone() : new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["uid"] = $"uid-{++_uid}" },
            };
            obj["metadata"]!["resourceVersion"] = _revision.ToString(CultureInfo.InvariantCulture);
            if (isDelete)
            {
                _objects.Remove(name);
            }
            else
            {
                _objects[name] = obj;
            }

            var line = Event(isDelete ? "DELETED" : existed ? "MODIFIED" : "ADDED", obj);
            _history.Add((_revision, line));
            _watches.RemoveAll(w => w.IsDisposed || !w.Send(line) || (Duplicates && !w.Send(line)));
        }
    }

    private void EndWatches(Func<ChannelStream, bool> last, Exception? failure)
    {
        lock (_gate)
        {
            foreach (var watch in _watches)
            {
                last(watch);
                watch.End(failure);
            }

            _watches.Clear();
        }
    }
}

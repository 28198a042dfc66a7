using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Routes;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Tables;

/// <summary>Objects as rows of a Table, for kubectl get.</summary>
internal sealed class TablePresenter : ObjectPresenter
{
    private readonly ResourceInfo _resource;
    private readonly TablePrinter _printer;
    private readonly string _apiVersion;
    private readonly string _includeObject;
    private readonly TimeProvider _time;
    private bool _columnsSent;

    public TablePresenter(ResourceInfo resource, string metaVersion, string includeObject, TimeProvider time)
    {
        if (includeObject is not ("" or "None" or "Metadata" or "Object"))
        {
            throw Api.Errors.ApiException.BadRequest($"unrecognized includeObject value: \"{includeObject}\"");
        }

        _resource = resource;
        _printer = TablePrinters.For(resource);
        _apiVersion = "meta.k8s.io/" + metaVersion;
        _includeObject = includeObject;
        _time = time;
    }

    public override ReadOnlyMemory<byte> One(CachedObject obj)
    {
        var table = Table([Row(obj)], columns: true);
        table["metadata"] = new JsonObject { ["resourceVersion"] = obj.ModRevision.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        return ObjectCodec.ToUtf8(table);
    }

    // Only the first table of a watch carries the columns.
    public override ReadOnlyMemory<byte> Event(CachedObject obj)
    {
        var table = Table([Row(obj)], columns: !_columnsSent);
        _columnsSent = true;
        return ObjectCodec.ToUtf8(table);
    }

    public override ReadOnlyMemory<byte> Bookmark(long revision, bool endOfInitial)
    {
        var row = new JsonObject
        {
            ["cells"] = new JsonArray(),
            ["object"] = new JsonObject
            {
                ["kind"] = "PartialObjectMetadata",
                ["apiVersion"] = _apiVersion,
                ["metadata"] = BookmarkMetadata(revision, endOfInitial),
            },
        };
        var table = Table([row], columns: false);
        table["metadata"] = new JsonObject { ["resourceVersion"] = revision.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        return ObjectCodec.ToUtf8(table);
    }

    public override IReadOnlyList<ReadOnlyMemory<byte>> Many(ListPage page)
    {
        var table = Table(page.Items.Select(Row), columns: true);
        table["metadata"] = JsonNode.Parse(ListMeta(page));
        return [ObjectCodec.ToUtf8(table)];
    }

    private JsonObject Table(IEnumerable<JsonObject> rows, bool columns) => new()
    {
        ["kind"] = "Table",
        ["apiVersion"] = _apiVersion,
        ["metadata"] = new JsonObject(),
        ["columnDefinitions"] = columns ? new JsonArray([.. _printer.Columns.Select(c => (JsonNode)c.ToJson())]) : null,
        ["rows"] = new JsonArray([.. rows.Select(r => (JsonNode)r)]),
    };

    private JsonObject Row(CachedObject cached)
    {
        var stored = _resource.Custom is null ? cached.ToObject() : ObjectViews.Read(_resource, cached);
        var row = new JsonObject { ["cells"] = new JsonArray([.. _printer.Cells(stored, _time.GetUtcNow())]) };
        if (_printer.Conditions(stored) is { } conditions)
        {
            row["conditions"] = conditions;
        }

        row["object"] = _includeObject switch
        {
            "None" => null,
            "Object" => _resource.Custom is null ? ObjectViews.ToExternal(_resource, stored) : stored,
            _ => PartialMetadataPresenter.Reduce(stored, _apiVersion),
        };
        return row;
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Tables;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Routes;

/// <summary>Objects and lists in the form that the client asked for. The plain form copies bytes and parses nothing.</summary>
internal abstract class ObjectPresenter
{
    /// <summary>One object as JSON.</summary>
    public abstract ReadOnlyMemory<byte> One(CachedObject obj);

    /// <summary>One object as it stands in a watch event.</summary>
    public virtual ReadOnlyMemory<byte> Event(CachedObject obj) => One(obj);

    /// <summary>The object of a bookmark.</summary>
    /// <param name="revision">Revision that the bookmark covers.</param>
    /// <param name="endOfInitial">True for the bookmark that ends the initial objects.</param>
    public abstract ReadOnlyMemory<byte> Bookmark(long revision, bool endOfInitial);

    /// <summary>A list in pieces.</summary>
    public abstract IReadOnlyList<ReadOnlyMemory<byte>> Many(ListPage page);

    /// <summary>The presenter of a resource for a client.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="type">What was negotiated.</param>
    /// <param name="includeObject">includeObject of a table request.</param>
    /// <param name="time">The clock that ages are told by.</param>
    public static ObjectPresenter For(ResourceInfo resource, AcceptedType type, string includeObject, TimeProvider time) => type.As switch
    {
        Presentation.Table => new TablePresenter(resource, type.MetaVersion, includeObject, time),
        Presentation.PartialMetadata => new PartialMetadataPresenter(type.MetaVersion),
        _ => new PlainPresenter(resource),
    };

    /// <summary>ListMeta as JSON text.</summary>
    protected static string ListMeta(ListPage page)
    {
        var meta = new StringBuilder("{\"resourceVersion\":\"").Append(page.Revision.ToString(CultureInfo.InvariantCulture)).Append('"');
        if (page.Continue.Length > 0)
        {
            meta.Append(",\"continue\":\"").Append(page.Continue).Append('"');
        }

        if (page.Remaining is { } remaining)
        {
            meta.Append(",\"remainingItemCount\":").Append(remaining.ToString(CultureInfo.InvariantCulture));
        }

        return meta.Append('}').ToString();
    }

    /// <summary>A JSON list of pieces.</summary>
    protected static IReadOnlyList<ReadOnlyMemory<byte>> Enclose(string head, IEnumerable<ReadOnlyMemory<byte>> items, int count)
    {
        var pieces = new List<ReadOnlyMemory<byte>>((count * 2) + 2) { Encoding.UTF8.GetBytes(head) };
        foreach (var item in items)
        {
            if (pieces.Count > 1)
            {
                pieces.Add(Comma);
            }

            pieces.Add(item);
        }

        pieces.Add(Tail);
        return pieces;
    }

    /// <summary>metadata of a bookmark.</summary>
    protected static JsonObject BookmarkMetadata(long revision, bool endOfInitial)
    {
        var meta = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (endOfInitial)
        {
            meta["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        }

        return meta;
    }

    private static readonly byte[] Comma = [(byte)','];
    private static readonly byte[] Tail = [(byte)']', (byte)'}'];
}

/// <summary>Objects as they are.</summary>
internal sealed class PlainPresenter(ResourceInfo resource) : ObjectPresenter
{
    public override ReadOnlyMemory<byte> One(CachedObject obj) => ObjectViews.Utf8(resource, obj);

    public override ReadOnlyMemory<byte> Bookmark(long revision, bool endOfInitial) => ObjectCodec.ToUtf8(new JsonObject
    {
        ["kind"] = resource.Kind,
        ["apiVersion"] = resource.ApiVersion,
        ["metadata"] = BookmarkMetadata(revision, endOfInitial),
    });

    public override IReadOnlyList<ReadOnlyMemory<byte>> Many(ListPage page) => Enclose(
        $"{{\"kind\":\"{resource.ListKind}\",\"apiVersion\":\"{resource.ApiVersion}\",\"metadata\":{ListMeta(page)},\"items\":[",
        page.Items.Select(One), page.Items.Count);
}

/// <summary>Only metadata, for clients that watch everything (garbage collectors).</summary>
internal sealed class PartialMetadataPresenter(string metaVersion) : ObjectPresenter
{
    private string ApiVersion => "meta.k8s.io/" + metaVersion;

    public override ReadOnlyMemory<byte> One(CachedObject obj) => ObjectCodec.ToUtf8(Reduce(obj.ToObject(), ApiVersion));

    public override ReadOnlyMemory<byte> Bookmark(long revision, bool endOfInitial) => ObjectCodec.ToUtf8(new JsonObject
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = ApiVersion,
        ["metadata"] = BookmarkMetadata(revision, endOfInitial),
    });

    public override IReadOnlyList<ReadOnlyMemory<byte>> Many(ListPage page) => Enclose(
        $"{{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"{ApiVersion}\",\"metadata\":{ListMeta(page)},\"items\":[",
        page.Items.Select(One), page.Items.Count);

    /// <summary>An object's PartialObjectMetadata.</summary>
    public static JsonObject Reduce(JsonObject obj, string apiVersion) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = apiVersion,
        ["metadata"] = obj["metadata"]?.DeepClone(),
    };
}

using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.WatchCache;

/// <summary>One version of one object: its external JSON, serialized once and written as it is to every reader and watcher.</summary>
public sealed class CachedObject
{
    private SelectableFields? _selectable;

    // Versions of a kind that are asked for; what is left of an older definition falls out.
    private const int MostViews = 4;
    private volatile ObjectView[] _views = [];

    internal CachedObject(string key, byte[] utf8, long modRevision)
    {
        Key = key;
        Utf8 = utf8;
        ModRevision = modRevision;
    }

    /// <summary>Key in the store.</summary>
    public string Key { get; }

    /// <summary>UTF-8 JSON with metadata.resourceVersion. Not to be changed.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>Revision of the version: its resourceVersion.</summary>
    public long ModRevision { get; }

    /// <summary>Labels and the string fields that selectors ask for, parsed when first asked for.</summary>
    internal SelectableFields Selectable => _selectable ??= SelectableFields.Parse(Utf8.Span);

    /// <summary>The bytes as a resource shows them, where they were made before; null where not.</summary>
    internal ReadOnlyMemory<byte>? FindView(ResourceInfo resource)
    {
        foreach (var view in _views)
        {
            if (ReferenceEquals(view.Resource, resource))
            {
                return view.Utf8;
            }
        }

        return null;
    }

    /// <summary>Keeps the bytes as a resource shows them.</summary>
    internal ReadOnlyMemory<byte> AddView(ResourceInfo resource, ReadOnlyMemory<byte> utf8)
    {
        _views = [new ObjectView(resource, utf8), .. _views.Take(MostViews - 1)];
        return utf8;
    }

    /// <summary>metadata.name.</summary>
    public string Name => Selectable.Get("metadata.name") ?? "";

    /// <summary>metadata.namespace; empty for cluster-scoped kinds.</summary>
    public string Namespace => Selectable.Get("metadata.namespace") ?? "";

    /// <summary>A new JSON object of it, which the caller may change.</summary>
    public JsonObject ToObject() => ObjectCodec.ParseJson(Utf8.Span);

    private sealed record ObjectView(ResourceInfo Resource, ReadOnlyMemory<byte> Utf8);
}

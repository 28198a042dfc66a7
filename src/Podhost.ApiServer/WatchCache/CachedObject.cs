using System.Text.Json.Nodes;
using Podhost.Api.Objects;

namespace Podhost.ApiServer.WatchCache;

/// <summary>One version of one object: its external JSON, serialized once and written as it is to every reader and watcher.</summary>
public sealed class CachedObject
{
    private SelectableFields? _selectable;

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

    /// <summary>metadata.name.</summary>
    public string Name => Selectable.Get("metadata.name") ?? "";

    /// <summary>metadata.namespace; empty for cluster-scoped kinds.</summary>
    public string Namespace => Selectable.Get("metadata.namespace") ?? "";

    /// <summary>A new JSON object of it, which the caller may change.</summary>
    public JsonObject ToObject() => ObjectCodec.ParseJson(Utf8.Span);
}

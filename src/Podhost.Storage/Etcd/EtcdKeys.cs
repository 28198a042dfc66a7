using System.Text;
using Google.Protobuf;
using Podhost.Storage.Contract;
using Podhost.Storage.Etcd.Wire;
using Podhost.Storage.Keys;

namespace Podhost.Storage.Etcd;

/// <summary>Between our keys and etcd's: <c>PREFIX/KEY</c>.</summary>
internal sealed class EtcdKeys
{
    private readonly byte[] _root;

    internal EtcdKeys(string prefix)
    {
        _root = Encoding.UTF8.GetBytes(prefix + "/");
        RootStart = ByteString.CopyFrom(_root);
        RootEnd = ByteString.CopyFrom(StoreKey.PrefixEnd(_root)!);
        Marker = ByteString.CopyFrom([.. _root, .. "\0progress"u8]);
    }

    internal ByteString RootStart { get; }

    internal ByteString RootEnd { get; }

    /// <summary>A key of our own, written to make the feed move. Our keys cannot start with NUL, so it is no one's.</summary>
    internal ByteString Marker { get; }

    internal ByteString ToWire(string key) => Join(StoreKey.Encode(key));

    internal (ByteString From, ByteString To) Range(string prefix, string? start)
    {
        var prefixBytes = StoreKey.EncodePrefix(prefix);
        var from = start is null ? prefixBytes : StoreKey.EncodePrefix(start);

        // A range of everything starts after the marker.
        return (Join(from.Length == 0 ? [1] : from), ByteString.CopyFrom(StoreKey.PrefixEnd([.. _root, .. prefixBytes])!));
    }

    internal StoreEntry ToEntry(KeyValue kv) =>
        new(StoreKey.Decode(kv.Key.Span[_root.Length..]), kv.Value.Memory, kv.CreateRevision, kv.ModRevision, kv.Version);

    internal StoreEvent ToEvent(Event e) => e.Type == Event.Types.EventType.Put
        ? new StoreEvent(StoreEventType.Put, ToEntry(e.Kv), Previous(e))
        : new StoreEvent(
            StoreEventType.Delete,
            new StoreEntry(StoreKey.Decode(e.Kv.Key.Span[_root.Length..]), ReadOnlyMemory<byte>.Empty, 0, e.Kv.ModRevision, 0),
            Previous(e));

    private StoreEntry? Previous(Event e) => e.PrevKv is { ModRevision: > 0 } kv ? ToEntry(kv) : null;

    private ByteString Join(byte[] key) => ByteString.CopyFrom([.. _root, .. key]);
}

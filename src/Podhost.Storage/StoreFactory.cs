using Microsoft.Extensions.Logging;
using Podhost.Storage.Contract;
using Podhost.Storage.Etcd;
using Podhost.Storage.Memory;
using Podhost.Storage.Sqlite;

namespace Podhost.Storage;

/// <summary>Opens a store by the text of the <c>--store</c> option.</summary>
public static class StoreFactory
{
    /// <summary>
    /// Opens <c>sqlite:PATH</c>, <c>memory:</c>, or
    /// <c>etcd:URL[?prefix=/podhost&amp;cacert=FILE&amp;cert=FILE&amp;key=FILE]</c> (http or https).
    /// </summary>
    /// <exception cref="ArgumentException">The text names no store.</exception>
    /// <exception cref="StoreException">The store cannot be opened.</exception>
    public static async ValueTask<IStore> OpenAsync(string store, StoreFactoryOptions? options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(store);
        options ??= new StoreFactoryOptions();
        var (scheme, rest) = store.Split(':', 2) is [var a, var b] ? (a, b) : (store, "");
        return scheme switch
        {
            "memory" when rest.Length == 0 => new MemoryStore(options.Time),
            "sqlite" when rest.Length > 0 => SqliteStore.Open(
                new SqliteStoreOptions { Path = rest, SyncDirectory = options.SyncDirectory }, options.Time),
            "etcd" when rest.Length > 0 => await EtcdStore.OpenAsync(
                EtcdStoreOptions.Parse(rest), options.Time, options.Random, options.Loggers.CreateLogger("Podhost.Storage.Etcd"), cancellationToken)
                .ConfigureAwait(false),
            _ => throw new ArgumentException($"no store '{store}': use sqlite:PATH, memory: or etcd:http://HOST:PORT[?prefix=/podhost]", nameof(store)),
        };
    }
}

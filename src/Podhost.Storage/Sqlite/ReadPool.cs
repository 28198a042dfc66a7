using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Podhost.Storage.Sqlite;

/// <summary>A bounded pool of reading connections with prepared statements. A connection that failed is thrown away.</summary>
internal sealed class ReadPool(string path, int size) : IDisposable
{
    private readonly SemaphoreSlim _free = new(size, size);
    private readonly ConcurrentBag<ReadSession> _idle = [];
    private volatile bool _disposed;

    internal async ValueTask<T> ReadAsync<T>(Func<ReadSession, T> read, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        ReadSession? session = null;
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(SqliteStore));
            session = _idle.TryTake(out var idle) ? idle : new ReadSession(SqliteSchema.OpenReader(path));
            return read(session);
        }
        catch (SqliteException e)
        {
            session?.Dispose();
            session = null;
            throw SqliteErrors.Translate(e, path);
        }
        finally
        {
            if (session is not null)
            {
                GiveBack(session);
            }

            _free.Release();
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryTake(out var session))
        {
            session.Dispose();
        }
    }

    private void GiveBack(ReadSession session)
    {
        _idle.Add(session);
        if (_disposed)
        {
            Dispose();
        }
    }
}

using Podhost.Storage.Contract;

namespace Podhost.Storage.Sqlite;

/// <summary>A conditional delete.</summary>
internal sealed class DeleteOperation(string key, byte[] keyBytes, long expected) : WriteOperation<WriteResult>
{
    protected override WriteResult Decide(WriteSession session)
    {
        var current = session.Newest(key, keyBytes);
        return current is null || current.ModRevision != expected
            ? new WriteResult(false, session.Revision, current)
            : new WriteResult(true, session.Delete(keyBytes, current), current);
    }
}

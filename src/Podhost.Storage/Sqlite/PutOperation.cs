using Podhost.Storage.Contract;

namespace Podhost.Storage.Sqlite;

/// <summary>A conditional put.</summary>
internal sealed class PutOperation(string key, byte[] keyBytes, byte[] value, long expected, DateTimeOffset? expiresAt) : WriteOperation<WriteResult>
{
    protected override WriteResult Decide(WriteSession session)
    {
        var current = session.Newest(key, keyBytes);
        if ((current?.ModRevision ?? 0) != expected)
        {
            return new WriteResult(false, session.Revision, current);
        }

        var revision = session.Put(key, keyBytes, value, current);
        if (expiresAt is { } at)
        {
            session.Expire(keyBytes, revision, at);
        }

        return new WriteResult(true, revision, null);
    }
}

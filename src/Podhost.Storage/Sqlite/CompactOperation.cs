using Podhost.Storage.Contract;

namespace Podhost.Storage.Sqlite;

/// <summary>Moves the compaction forward; the rows are cleaned up later, slice by slice.</summary>
internal sealed class CompactOperation(long revision) : WriteOperation<bool>
{
    protected override bool Decide(WriteSession session)
    {
        if (revision > session.Revision)
        {
            throw new FutureRevisionException(revision, session.Revision);
        }

        return session.Compact(revision);
    }
}

namespace Podhost.Storage.Sqlite;

/// <summary>Deletes keys whose time to live has ended, a bounded number in one transaction.</summary>
internal sealed class ExpireOperation(DateTimeOffset now, int most) : WriteOperation<int>
{
    protected override int Decide(WriteSession session) => session.DeleteExpired(now, most);
}

namespace Podhost.Storage.Contract;

/// <summary>The store cannot do its work: the database is locked, damaged or full, or etcd cannot be reached.</summary>
/// <remarks>
/// A write that failed with it may have been applied where the answer was lost (etcd, see <see cref="OutcomeUnknown"/>); with SQLite it was rolled back.
/// </remarks>
/// <param name="message">What is wrong and how to mend it.</param>
/// <param name="inner">The cause.</param>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True where a write may or may not have been applied.</summary>
    public bool OutcomeUnknown { get; init; }
}

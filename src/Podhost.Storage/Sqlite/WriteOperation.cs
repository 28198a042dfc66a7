namespace Podhost.Storage.Sqlite;

/// <summary>One write on its way through the writer thread: applied in the group's transaction, completed after its commit.</summary>
internal abstract class WriteOperation
{
    /// <summary>True for the store's own operations, which do not count against the queue's bound.</summary>
    internal bool HoldsNoRoom { get; set; }

    internal abstract void Apply(WriteSession session);

    /// <summary>The transaction is durable.</summary>
    internal abstract void Complete();

    /// <summary>The transaction was rolled back.</summary>
    internal abstract void Fail(Exception failure);
}

/// <summary>A write with an outcome.</summary>
internal abstract class WriteOperation<T> : WriteOperation
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _outcome;
    private Exception? _refused;

    internal Task<T> Done => _done.Task;

    internal sealed override void Apply(WriteSession session)
    {
        try
        {
            _outcome = Decide(session);
        }
        catch (Podhost.Storage.Contract.FutureRevisionException e)
        {
            // Refused before it changed anything: the group goes on without it.
            _refused = e;
        }
    }

    internal sealed override void Complete()
    {
        if (_refused is not null)
        {
            _done.TrySetException(_refused);
        }
        else
        {
            _done.TrySetResult(_outcome!);
        }
    }

    internal sealed override void Fail(Exception failure) => _done.TrySetException(failure);

    protected abstract T Decide(WriteSession session);
}

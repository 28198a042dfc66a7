namespace Podhost.Storage.Compaction;

/// <summary>Decides to which revision history may be forgotten. Pure: time and revision are inputs.</summary>
internal sealed class CompactionSchedule(AutoCompactionOptions options)
{
    /// <summary>Marks a retention period: the precision of the retention.</summary>
    internal const int MarksPerRetention = 5;

    private readonly Queue<(DateTimeOffset At, long Revision)> _marks = new();
    private long _compacted;

    /// <summary>Notes the present revision; returns the revision to compact to, or null.</summary>
    internal long? Next(DateTimeOffset now, long revision)
    {
        _marks.Enqueue((now, revision));
        var oldEnough = 0L;
        while (_marks.Peek().At <= now - options.Retention)
        {
            oldEnough = _marks.Dequeue().Revision;
        }

        var target = Math.Min(oldEnough, revision - options.KeepRevisions);
        if (target <= _compacted)
        {
            return null;
        }

        _compacted = target;
        return target;
    }
}

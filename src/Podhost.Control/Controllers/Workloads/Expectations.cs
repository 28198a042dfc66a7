using Podhost.Client.Informers;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>
/// What an owner's own writes will still change in the informer's copy. Until that has been seen (or five minutes have passed) the copy
/// would tell of too few pods or too many, and the owner must not decide by it. Upstream: ControllerExpectations.
/// </summary>
internal sealed class Expectations(TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private readonly Dictionary<ObjectKey, Expected> byOwner = [];

    /// <summary>
    /// True where the copy shows everything that the owner did. To be asked before the copy is read: asked after it, a pod that came into the copy in
    /// between would be made twice.
    /// </summary>
    public bool AreMet(ObjectKey owner)
    {
        lock (gate)
        {
            return !byOwner.TryGetValue(owner, out var expected)
                || (expected.Creations <= 0 && expected.Deletions.Count == 0)
                || time.GetElapsedTime(expected.Since) > Patience;
        }
    }

    public void ExpectCreations(ObjectKey owner, int count) => Change(owner, e => e.Creations += count);

    public void ExpectDeletion(ObjectKey owner, string uid) => Change(owner, e => e.Deletions.Add(uid));

    public void CreationSeen(ObjectKey owner) => Change(owner, e => e.Creations = Math.Max(0, e.Creations - 1));

    public void DeletionSeen(ObjectKey owner, string uid) => Change(owner, e => e.Deletions.Remove(uid));

    public void Forget(ObjectKey owner)
    {
        lock (gate)
        {
            byOwner.Remove(owner);
        }
    }

    private void Change(ObjectKey owner, Action<Expected> change)
    {
        lock (gate)
        {
            if (!byOwner.TryGetValue(owner, out var expected))
            {
                byOwner[owner] = expected = new Expected();
            }

            expected.Since = time.GetTimestamp();
            change(expected);
        }
    }

    private sealed class Expected
    {
        public int Creations { get; set; }

        public HashSet<string> Deletions { get; } = [];

        public long Since { get; set; }
    }
}

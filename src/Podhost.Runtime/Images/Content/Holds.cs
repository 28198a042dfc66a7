namespace Podhost.Runtime.Images.Content;

/// <summary>
/// What is in use beyond the image records: by running pulls and by root file systems. Keys are digests of blobs, and
/// <see cref="Layer"/> of chain ids: an uncompressed first layer has one digest as both.
/// Collection runs inside <see cref="CollectUnheld"/>: whoever holds first is seen, whoever holds later finds the data gone.
/// </summary>
internal sealed class Holds
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = [];

    public static string Layer(string chainId) => "layer " + chainId;

    /// <summary>Keeps the keys from collection until the result is disposed.</summary>
    public IDisposable Hold(IReadOnlyCollection<string> keys)
    {
        lock (_lock)
        {
            foreach (var key in keys)
            {
                _counts[key] = _counts.GetValueOrDefault(key) + 1;
            }
        }

        return new Holder(this, keys);
    }

    /// <summary>Runs a short collection; its argument tells whether a key is held.</summary>
    public void CollectUnheld(Action<Func<string, bool>> collect)
    {
        lock (_lock)
        {
            collect(_counts.ContainsKey);
        }
    }

    /// <summary>Runs the action if the caller's hold is the only one of the key.</summary>
    public void IfOnlyHolder(string key, Action action)
    {
        lock (_lock)
        {
            if (_counts.GetValueOrDefault(key) == 1)
            {
                action();
            }
        }
    }

    private void Release(IReadOnlyCollection<string> keys)
    {
        lock (_lock)
        {
            foreach (var key in keys)
            {
                if (--_counts[key] == 0)
                {
                    _counts.Remove(key);
                }
            }
        }
    }

    private sealed class Holder(Holds owner, IReadOnlyCollection<string> keys) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
            {
                owner.Release(keys);
            }
        }
    }
}

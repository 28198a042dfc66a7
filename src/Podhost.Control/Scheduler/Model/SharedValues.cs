namespace Podhost.Control.Scheduler.Model;

/// <summary>One instance for equal values of many pods, so that comparing them is comparing references. Not thread-safe.</summary>
internal sealed class SharedValues
{
    public Pool<PodTraits> Traits { get; } = new();

    public Pool<PodTermSet> Terms { get; } = new();

    /// <summary>Values of one type. It forgets them when they become many: sharing only saves time and memory.</summary>
    internal sealed class Pool<T> where T : class, IEquatable<T>
    {
        private const int Most = 10_000;
        private readonly Dictionary<T, T> _values = [];

        public T Share(T value)
        {
            if (_values.TryGetValue(value, out var known))
            {
                return known;
            }

            if (_values.Count == Most)
            {
                _values.Clear();
            }

            _values.Add(value, value);
            return value;
        }
    }
}

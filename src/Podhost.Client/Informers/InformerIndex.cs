using k8s;
using k8s.Models;

namespace Podhost.Client.Informers;

/// <summary>Objects of an informer by the values that a function gives them, for example pods by node name.</summary>
public sealed class InformerIndex<T> where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _gate = new();
    private readonly Func<T, IEnumerable<string>> _valuesOf;
    private readonly Dictionary<string, Dictionary<ObjectKey, T>> _byValue = new(StringComparer.Ordinal);

    /// <summary>An empty index; informers fill it.</summary>
    public InformerIndex(Func<T, IEnumerable<string>> valuesOf) => _valuesOf = valuesOf;

    /// <summary>The objects that have the value, a snapshot.</summary>
    public IReadOnlyList<T> Get(string value)
    {
        lock (_gate)
        {
            return _byValue.TryGetValue(value, out var objects) ? [.. objects.Values] : [];
        }
    }

    /// <summary>How many objects have the value.</summary>
    public int Count(string value)
    {
        lock (_gate)
        {
            return _byValue.TryGetValue(value, out var objects) ? objects.Count : 0;
        }
    }

    internal bool IsBy(Func<T, IEnumerable<string>> valuesOf) => _valuesOf == valuesOf;

    /// <summary>Takes an object out, puts one in, or both: null for none.</summary>
    public void Replace(T? previous, T? next)
    {
        lock (_gate)
        {
            if (previous is not null)
            {
                foreach (var value in _valuesOf(previous))
                {
                    if (_byValue.TryGetValue(value, out var objects) && objects.Remove(ObjectKey.Of(previous)) && objects.Count == 0)
                    {
                        _byValue.Remove(value);
                    }
                }
            }

            if (next is not null)
            {
                foreach (var value in _valuesOf(next))
                {
                    if (!_byValue.TryGetValue(value, out var objects))
                    {
                        _byValue[value] = objects = [];
                    }

                    objects[ObjectKey.Of(next)] = next;
                }
            }
        }
    }
}

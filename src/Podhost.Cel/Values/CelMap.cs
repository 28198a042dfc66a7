namespace Podhost.Cel.Values;

/// <summary>A map, or an object whose fields are the keys.</summary>
internal abstract class CelMap
{
    public abstract int Count { get; }

    public abstract IEnumerable<object> Keys { get; }

    /// <summary>The value of a key, or null where there is none. It may be an error.</summary>
    public abstract object? Find(object key);

    /// <summary>True or false, or an error of a value.</summary>
    public virtual object EqualTo(CelMap other)
    {
        if (Count != other.Count)
        {
            return Boxes.False;
        }

        foreach (var key in Keys)
        {
            if (other.Find(key) is not { } theirs)
            {
                return Boxes.False;
            }

            var equal = Values.Equal(Find(key)!, theirs);
            if (!ReferenceEquals(equal, Boxes.True))
            {
                return equal;
            }
        }

        return Boxes.True;
    }
}

/// <summary>A map made by an expression.</summary>
internal sealed class DictionaryMap(Dictionary<object, object> entries) : CelMap
{
    public DictionaryMap()
        : this(new Dictionary<object, object>(KeyComparer.Instance))
    {
    }

    public override int Count => entries.Count;

    public override IEnumerable<object> Keys => entries.Keys;

    /// <summary>True while a loop makes the map: then it grows in place.</summary>
    public bool IsGrowing { get; set; }

    public override object? Find(object key) => entries.GetValueOrDefault(key);

    /// <summary>Adds to a map that no one else can see; an error where the key is there.</summary>
    public object Insert(object key, object value) =>
        entries.TryAdd(key, value) ? this : new CelError($"insert failed: key {Values.Display(key)} already exists");

    public DictionaryMap Copy() => new(new Dictionary<object, object>(entries, KeyComparer.Instance));
}

/// <summary>Numbers of different types are the same key where they are equal.</summary>
internal sealed class KeyComparer : IEqualityComparer<object>
{
    public static readonly KeyComparer Instance = new();

    bool IEqualityComparer<object>.Equals(object? x, object? y) => ReferenceEquals(Values.Equal(x!, y!), Boxes.True);

    public int GetHashCode(object obj) => obj switch
    {
        long l => l.GetHashCode(),
        ulong u => u <= long.MaxValue ? ((long)u).GetHashCode() : u.GetHashCode(),
        double d => d is >= -9.2e18 and <= 9.2e18 && Math.Floor(d) == d ? ((long)d).GetHashCode() : d.GetHashCode(),
        _ => obj.GetHashCode(),
    };
}

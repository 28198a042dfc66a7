namespace Podhost.Cel.Values;

/// <summary>A list of values.</summary>
internal abstract class CelList
{
    public abstract int Count { get; }

    public abstract object this[int index] { get; }

    public IEnumerable<object> Items
    {
        get
        {
            for (var i = 0; i < Count; i++)
            {
                yield return this[i];
            }
        }
    }

    /// <summary>The list with another behind it.</summary>
    public virtual CelList Concat(CelList other) => other.Count == 0 ? this : Count == 0 ? other : new ArrayList([.. Items, .. other.Items]);

    /// <summary>True or false, or an error of an item.</summary>
    public virtual object EqualTo(CelList other)
    {
        if (Count != other.Count)
        {
            return Boxes.False;
        }

        for (var i = 0; i < Count; i++)
        {
            var equal = Values.Equal(this[i], other[i]);
            if (!ReferenceEquals(equal, Boxes.True))
            {
                return equal;
            }
        }

        return Boxes.True;
    }
}

/// <summary>A list made by an expression.</summary>
internal sealed class ArrayList(List<object> items) : CelList
{
    public override int Count => items.Count;

    public override object this[int index] => items[index];

    /// <summary>True while a loop makes the list: then it grows in place.</summary>
    public bool IsGrowing { get; set; }

    /// <summary>Grows a list that no one else can see.</summary>
    public void Append(CelList other) => items.AddRange(other.Items);
}

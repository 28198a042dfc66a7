using Podhost.Cel.Checking;
using Podhost.Cel.Syntax;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>Kubernetes' list functions, and the sets library.</summary>
internal static class Lists
{
    private static readonly string[] Summable = ["int", "uint", "double", "duration"];
    private static readonly string[] Ordered = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];

    public static void AddTo(FunctionTable t)
    {
        foreach (var type in Ordered)
        {
            t.Add("isSorted", $"list_{type}_is_sorted_bool", $"list({type}).() bool", a => IsSorted((CelList)a[0]));
            t.Add("min", $"list_{type}_min_{type}", $"list({type}).() {type}", a => Extreme((CelList)a[0], "min", o => o < 0));
            t.Add("max", $"list_{type}_max_{type}", $"list({type}).() {type}", a => Extreme((CelList)a[0], "max", o => o > 0));
        }

        foreach (var type in Summable)
        {
            object zero = type switch { "int" => 0L, "uint" => 0UL, "double" => 0.0, _ => new CelDuration(0) };
            t.Add("sum", $"list_{type}_sum_{type}", $"list({type}).() {type}", a => Sum(t, (CelList)a[0], zero));
        }

        t.Add("indexOf", "list_a_index_of_int", "list(A).(A) int", a => Index((CelList)a[0], a[1], isLast: false));
        t.Add("lastIndexOf", "list_a_last_index_of_int", "list(A).(A) int", a => Index((CelList)a[0], a[1], isLast: true));
        t.Add("sets.contains", "list_sets_contains_list", "(list(A), list(A)) bool", a => Contains((CelList)a[0], (CelList)a[1]));
        t.Add("sets.equivalent", "list_sets_equivalent_list", "(list(A), list(A)) bool",
            a => ReferenceEquals(Contains((CelList)a[0], (CelList)a[1]), Boxes.True) ? Contains((CelList)a[1], (CelList)a[0]) : Boxes.False);
        t.Add("sets.intersects", "list_sets_intersects_list", "(list(A), list(A)) bool",
            a => Boxes.Of(((CelList)a[0]).Items.Any(i => Has((CelList)a[1], i))));
    }

    private static object IsSorted(CelList list)
    {
        for (var i = 1; i < list.Count; i++)
        {
            if (Ordering.Compare(list[i - 1], list[i]) > 0)
            {
                return Boxes.False;
            }
        }

        return Boxes.True;
    }

    private static object Extreme(CelList list, string name, Func<int, bool> isBetter)
    {
        if (list.Count == 0)
        {
            return new CelError($"{name} called on empty list");
        }

        var best = list[0];
        for (var i = 1; i < list.Count; i++)
        {
            if (Ordering.Compare(list[i], best) is { } order && isBetter(order))
            {
                best = list[i];
            }
        }

        return best;
    }

    private static object Sum(FunctionTable table, CelList list, object zero)
    {
        var add = table.Find(Operators.Add)!;
        var sum = zero;
        foreach (var item in list.Items)
        {
            if (item is CelError)
            {
                return item;
            }

            var overload = add.FirstOrDefault(o => o.Do is not null && Values.Values.Is(sum, o.Args[0]) && Values.Values.Is(item, o.Args[1]));
            sum = overload?.Do!([sum, item]) ?? CelError.NoSuchOverload();
            if (sum is CelError)
            {
                return sum;
            }
        }

        return sum;
    }

    private static object Index(CelList list, object item, bool isLast)
    {
        var places = Enumerable.Range(0, list.Count);
        foreach (var i in isLast ? places.Reverse() : places)
        {
            if (ReferenceEquals(Values.Values.Equal(list[i], item), Boxes.True))
            {
                return (long)i;
            }
        }

        return -1L;
    }

    private static object Contains(CelList list, CelList part) => Boxes.Of(part.Items.All(i => Has(list, i)));

    private static bool Has(CelList list, object item) => list.Items.Any(i => ReferenceEquals(Values.Values.Equal(i, item), Boxes.True));
}

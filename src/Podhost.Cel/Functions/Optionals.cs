using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>Values that may be missing. or() and orValue() are the evaluator's: they look at their argument only where they need it.</summary>
internal static class Optionals
{
    public static void AddTo(FunctionTable t)
    {
        t.Add("optional.of", "optional_of", "(A) optional(A)", a => new CelOptional(a[0]));
        t.Add("optional.ofNonZeroValue", "optional_ofNonZeroValue", "(A) optional(A)", a => IsZero(a[0]) ? CelOptional.None : new CelOptional(a[0]));
        t.Add("optional.none", "optional_none", "() optional(A)", _ => CelOptional.None);
        t.Add("optional.unwrap", "optional_unwrap", "(list(optional(A))) list(A)", a => Unwrap((CelList)a[0]));
        t.Add("unwrapOpt", "optional_unwrapOpt", "list(optional(A)).() list(A)", a => Unwrap((CelList)a[0]));
        t.Add("hasValue", "optional_hasValue", "optional(A).() bool", a => Boxes.Of(((CelOptional)a[0]).HasValue));
        t.Add("value", "optional_value", "optional(A).() A", a => ((CelOptional)a[0]).Value ?? new CelError("optional.none() dereference"));
        t.Add("or", "optional_or_optional", "optional(A).(optional(A)) optional(A)");
        t.Add("orValue", "optional_orValue_value", "optional(A).(A) A");
        t.Add("first", "list_first", "list(A).() optional(A)", a => At((CelList)a[0], 0));
        t.Add("last", "list_last", "list(A).() optional(A)", a => At((CelList)a[0], ((CelList)a[0]).Count - 1));
    }

    private static CelOptional At(CelList list, int index) => list.Count == 0 ? CelOptional.None : new CelOptional(list[index]);

    private static ArrayList Unwrap(CelList list) => new([.. list.Items.OfType<CelOptional>().Where(o => o.HasValue).Select(o => o.Value!)]);

    private static bool IsZero(object value) => value switch
    {
        bool b => !b,
        long l => l == 0,
        ulong u => u == 0,
        double d => d == 0,
        string s => s.Length == 0,
        CelBytes b => b.Value.Length == 0,
        CelNull => true,
        CelList l => l.Count == 0,
        CelMap m => m.Count == 0,
        CelDuration d => d.Nanos == 0,
        CelTimestamp t => t is { Seconds: 0, Nanos: 0 },
        CelOptional o => !o.HasValue,
        _ => false,
    };
}

using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>The order of values that have one.</summary>
internal static class Ordering
{
    /// <summary>Negative, zero or positive; null for NaN and values without an order.</summary>
    public static int? Compare(object a, object b) => (a, b) switch
    {
        (long or ulong or double, long or ulong or double) => Numbers.Compare(a, b),
        (string x, string y) => CodePoints.Compare(x, y),
        (bool x, bool y) => x.CompareTo(y),
        (CelBytes x, CelBytes y) => x.Value.AsSpan().SequenceCompareTo(y.Value),
        (CelTimestamp x, CelTimestamp y) => x.CompareTo(y),
        (CelDuration x, CelDuration y) => x.CompareTo(y),
        _ => null,
    };
}

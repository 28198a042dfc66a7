using Podhost.Cel.Values;

namespace Podhost.Cel.Evaluation;

/// <summary>Members of values: fields of objects, values of maps, items of lists, through optionals.</summary>
internal static class Fields
{
    /// <summary>The member, or an error; of an optional, an optional.</summary>
    public static object Get(object operand, object key) => operand switch
    {
        CelError => operand,
        CelOptional { Value: { } inner } => GetOptional(inner, key),
        CelOptional => CelOptional.None,
        CelMap map => map.Find(key) ?? CelError.NoSuchKey(key),
        CelList list => Item(list, key) ?? (Place(key) is { } place ? new CelError($"index out of bounds: {place}") : new CelError($"unsupported index type '{Values.Values.TypeOf(key)}' in list")),
        _ => CelError.NoSuchOverload(),
    };

    /// <summary>The member as an optional; an error where the operand is one.</summary>
    public static object GetOptional(object operand, object key)
    {
        switch (operand)
        {
            case CelError:
                return operand;
            case CelOptional { Value: { } inner }:
                return GetOptional(inner, key);
            case CelOptional:
                return CelOptional.None;
        }

        var found = operand switch
        {
            CelMap map => map.Find(key),
            CelList list => Item(list, key),
            _ => CelError.NoSuchOverload(),
        };
        return found is CelError ? found : found is null ? CelOptional.None : new CelOptional(found);
    }

    /// <summary>Whether a field is there.</summary>
    public static object Has(object operand, string field) => operand switch
    {
        CelError => operand,
        CelOptional { Value: { } inner } => Has(inner, field),
        CelOptional => Boxes.False,
        CelMap map => map.Find(field) is { } found ? (found is CelError ? found : Boxes.True) : Boxes.False,
        _ => CelError.NoSuchOverload(),
    };

    private static object? Item(CelList list, object key) => Place(key) is { } place && place >= 0 && place < list.Count ? list[(int)place] : null;

    private static long? Place(object key) => key switch
    {
        long l => l,
        ulong u => u <= long.MaxValue ? (long)u : long.MaxValue,
        double d => Math.Floor(d) == d && Numbers.ToInt(d) is long whole ? whole : null,
        _ => null,
    };
}

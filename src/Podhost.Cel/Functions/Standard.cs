using System.Numerics;
using Podhost.Cel.Checking;
using Podhost.Cel.Syntax;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>The standard functions and operators.</summary>
internal static class Standard
{
    private const string IntOverflow = "integer overflow";
    private const string UintOverflow = "unsigned integer overflow";

    private static readonly string[] NumberTypes = ["int", "uint", "double"];

    public static void AddTo(FunctionTable table)
    {
        Logic(table);
        Comparison(table);
        Arithmetic(table);
        TimeArithmetic(table);
        Containers(table);
        Text(table);
        Conversions.AddTo(table);
    }

    private static void Logic(FunctionTable t)
    {
        t.Add(Operators.Conditional, "conditional", "(bool, A, A) A");
        t.Add(Operators.And, "logical_and", "(bool, bool) bool");
        t.Add(Operators.Or, "logical_or", "(bool, bool) bool");
        t.Add(Operators.Not, "logical_not", "(bool) bool", a => Boxes.Of(!(bool)a[0]));
        t.Add(Operators.NotStrictlyFalse, "not_strictly_false", "(bool) bool");
        t.Add(Operators.Equal, "equals", "(A, A) bool", a => Values.Values.Equal(a[0], a[1]));
        t.Add(Operators.NotEqual, "not_equals", "(A, A) bool",
            a => Values.Values.Equal(a[0], a[1]) is bool equal ? Boxes.Of(!equal) : Values.Values.Equal(a[0], a[1]));
        t.Add("dyn", "to_dyn", "(A) dyn", a => a[0]);
        t.Add("type", "type", "(A) type(A)", a => Values.Values.TypeOf(a[0]));
    }

    private static void Comparison(FunctionTable t)
    {
        Order(t, Operators.Less, "less", c => c < 0);
        Order(t, Operators.LessEqual, "less_equals", c => c <= 0);
        Order(t, Operators.Greater, "greater", c => c > 0);
        Order(t, Operators.GreaterEqual, "greater_equals", c => c >= 0);
    }

    private static void Order(FunctionTable t, string function, string id, Func<int, bool> holds)
    {
        object Compare(object[] a) => Ordering.Compare(a[0], a[1]) is { } order ? Boxes.Of(holds(order)) : Boxes.False;
        foreach (var type in (string[])["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"])
        {
            t.Add(function, $"{id}_{IdOf(type)}", $"({type}, {type}) bool", Compare);
        }

        foreach (var (left, right) in NumberTypes.SelectMany(l => NumberTypes.Where(r => r != l).Select(r => (l, r))))
        {
            t.Add(function, $"{id}_{IdOf(left)}_{IdOf(right)}", $"({left}, {right}) bool", Compare);
        }
    }

    private static string IdOf(string type) => type switch { "int" => "int64", "uint" => "uint64", _ => type };

    private static void Arithmetic(FunctionTable t)
    {
        Operation(t, Operators.Add, "add", (x, y) => x + y, (x, y) => x + y);
        Operation(t, Operators.Subtract, "subtract", (x, y) => x - y, (x, y) => x - y);
        Operation(t, Operators.Multiply, "multiply", (x, y) => x * y, (x, y) => x * y);
        Operation(t, Operators.Divide, "divide", (x, y) => x / y, (x, y) => x / y, "division by zero");
        t.Add(Operators.Modulo, "modulo_int64", "(int, int) int", a => Modulo((long)a[0], (long)a[1]));
        t.Add(Operators.Modulo, "modulo_uint64", "(uint, uint) uint",
            a => (ulong)a[1] == 0 ? new CelError("modulus by zero") : (ulong)a[0] % (ulong)a[1]);
        t.Add(Operators.Negate, "negate_int64", "(int) int", a => (long)a[0] == long.MinValue ? new CelError(IntOverflow) : -(long)a[0]);
        t.Add(Operators.Negate, "negate_double", "(double) double", a => -(double)a[0]);
        t.Add(Operators.Add, "add_string", "(string, string) string", a => (string)a[0] + (string)a[1]);
        t.Add(Operators.Add, "add_bytes", "(bytes, bytes) bytes", a => new CelBytes([.. ((CelBytes)a[0]).Value, .. ((CelBytes)a[1]).Value]));
        t.Add(Operators.Add, "add_list", "(list(A), list(A)) list(A)", a => Concat((CelList)a[0], (CelList)a[1]));
    }

    private static object Modulo(long x, long y) => y == 0 ? new CelError("modulus by zero") : y == -1 ? (x == long.MinValue ? new CelError(IntOverflow) : 0L) : x % y;

    // Sums, differences and products of 64 bits always fit 128 bits.
    private static void Operation(
        FunctionTable t, string function, string id, Func<Int128, Int128, Int128> whole, Func<double, double, double> real, string? zero = null)
    {
        t.Add(function, $"{id}_int64", "(int, int) int", a =>
        {
            if (zero is not null && (long)a[1] == 0)
            {
                return new CelError(zero);
            }

            var result = whole((long)a[0], (long)a[1]);
            return result >= long.MinValue && result <= long.MaxValue ? (long)result : new CelError(IntOverflow);
        });
        t.Add(function, $"{id}_uint64", "(uint, uint) uint", a =>
        {
            if (zero is not null && (ulong)a[1] == 0)
            {
                return new CelError(zero);
            }

            return Unsigned((ulong)a[0], (ulong)a[1], function);
        });
        t.Add(function, $"{id}_double", "(double, double) double", a => real((double)a[0], (double)a[1]));
    }

    private static object Unsigned(ulong x, ulong y, string function)
    {
        var result = function switch
        {
            Operators.Add => (BigInteger)x + y,
            Operators.Subtract => (BigInteger)x - y,
            Operators.Multiply => (BigInteger)x * y,
            _ => x / y,
        };
        return result.Sign >= 0 && result <= ulong.MaxValue ? (ulong)result : new CelError(UintOverflow);
    }

    private static CelList Concat(CelList left, CelList right)
    {
        if (left is not ArrayList { IsGrowing: true } growing)
        {
            return left.Concat(right);
        }

        growing.Append(right);
        return growing;
    }

    private static void TimeArithmetic(FunctionTable t)
    {
        t.Add(Operators.Add, "add_duration_duration", "(duration, duration) duration", a => Span((Int128)((CelDuration)a[0]).Nanos + ((CelDuration)a[1]).Nanos));
        t.Add(Operators.Add, "add_duration_timestamp", "(duration, timestamp) timestamp", a => Later((CelTimestamp)a[1], (CelDuration)a[0]));
        t.Add(Operators.Add, "add_timestamp_duration", "(timestamp, duration) timestamp", a => Later((CelTimestamp)a[0], (CelDuration)a[1]));
        t.Add(Operators.Subtract, "subtract_duration_duration", "(duration, duration) duration",
            a => Span((Int128)((CelDuration)a[0]).Nanos - ((CelDuration)a[1]).Nanos));
        t.Add(Operators.Subtract, "subtract_timestamp_duration", "(timestamp, duration) timestamp",
            a => ((CelDuration)a[1]).Nanos == long.MinValue ? Overflow("timestamp") : Later((CelTimestamp)a[0], new CelDuration(-((CelDuration)a[1]).Nanos)));
        t.Add(Operators.Subtract, "subtract_timestamp_timestamp", "(timestamp, timestamp) duration", a => ((CelTimestamp)a[0]).Minus((CelTimestamp)a[1]));
    }

    private static object Span(Int128 nanos) => nanos >= long.MinValue && nanos <= long.MaxValue ? new CelDuration((long)nanos) : Overflow("duration");

    private static object Later(CelTimestamp time, CelDuration span) => time.Plus(span) is { } later ? later : Overflow("timestamp");

    private static CelError Overflow(string what) => new($"{what} overflow");

    private static void Containers(FunctionTable t)
    {
        t.Add(Operators.In, "in_list", "(A, list(A)) bool", a => In(a[0], (CelList)a[1]));
        t.Add(Operators.In, "in_map", "(A, map(A, B)) bool", a => Boxes.Of(((CelMap)a[1]).Find(a[0]) is not null));
        t.Add(Operators.Index, "index_list", "(list(A), int) A");
        t.Add(Operators.Index, "index_map", "(map(A, B), A) B");
        t.Add(Operators.Index, "optional_list_index_int", "(optional(list(A)), int) optional(A)");
        t.Add(Operators.Index, "optional_map_index_value", "(optional(map(A, B)), A) optional(B)");
        t.Add(Operators.OptIndex, "list_optindex_optional_int", "(list(A), int) optional(A)");
        t.Add(Operators.OptIndex, "optional_list_optindex_optional_int", "(optional(list(A)), int) optional(A)");
        t.Add(Operators.OptIndex, "map_optindex_optional_value", "(map(A, B), A) optional(B)");
        t.Add(Operators.OptIndex, "optional_map_optindex_optional_value", "(optional(map(A, B)), A) optional(B)");
        t.Add(Operators.OptSelect, "select_optional_field", "(dyn, string) optional(A)");
        t.Add(Operators.MapInsert, "cel.@mapInsert_map_key_value", "(map(A, B), A, B) map(A, B)", a => Insert(a[0], a[1], a[2]));
        t.Add(Operators.MapInsert, "cel.@mapInsert_map_map", "(map(A, B), map(A, B)) map(A, B)", a => InsertAll(a[0], (CelMap)a[1]));
        foreach (var (type, id) in (ReadOnlySpan<(string, string)>)[("string", "string"), ("bytes", "bytes"), ("list(A)", "list"), ("map(A, B)", "map")])
        {
            t.Add("size", $"size_{id}", $"({type}) int", a => Values.Values.Size(a[0])!.Value);
            t.Add("size", $"{id}_size", $"{type}.() int", a => Values.Values.Size(a[0])!.Value);
        }
    }

    private static object In(object item, CelList list)
    {
        CelError? error = null;
        foreach (var candidate in list.Items)
        {
            var equal = Values.Values.Equal(item, candidate);
            if (ReferenceEquals(equal, Boxes.True))
            {
                return equal;
            }

            error ??= equal as CelError;
        }

        return error ?? Boxes.False;
    }

    private static object Insert(object map, object key, object value) => Growing(map).Insert(key, value);

    private static object InsertAll(object map, CelMap entries)
    {
        var target = Growing(map);
        foreach (var key in entries.Keys)
        {
            if (target.Insert(key, entries.Find(key)!) is CelError error)
            {
                return error;
            }
        }

        return target;
    }

    private static DictionaryMap Growing(object map) => map is DictionaryMap { IsGrowing: true } growing ? growing : ((DictionaryMap)map).Copy();

    private static void Text(FunctionTable t)
    {
        t.Add("contains", "contains_string", "string.(string) bool", a => Boxes.Of(((string)a[0]).Contains((string)a[1], StringComparison.Ordinal)));
        t.Add("startsWith", "starts_with_string", "string.(string) bool", a => Boxes.Of(((string)a[0]).StartsWith((string)a[1], StringComparison.Ordinal)));
        t.Add("endsWith", "ends_with_string", "string.(string) bool", a => Boxes.Of(((string)a[0]).EndsWith((string)a[1], StringComparison.Ordinal)));
        t.Add("matches", "matches", "(string, string) bool", a => Patterns.IsMatch((string)a[0], (string)a[1]));
        t.Add("matches", "matches_string", "string.(string) bool", a => Patterns.IsMatch((string)a[0], (string)a[1]));
        Getters(t);
    }

    private static void Getters(FunctionTable t)
    {
        Getter(t, "getFullYear", "year", d => d.Year);
        Getter(t, "getMonth", "month", d => d.Month - 1);
        Getter(t, "getDayOfYear", "day_of_year", d => d.DayOfYear - 1);
        Getter(t, "getDayOfMonth", "day_of_month", d => d.Day - 1);
        Getter(t, "getDate", "day_of_month_1_based", d => d.Day);
        Getter(t, "getDayOfWeek", "day_of_week", d => (int)d.DayOfWeek);
        Getter(t, "getHours", "hours", d => d.Hour);
        Getter(t, "getMinutes", "minutes", d => d.Minute);
        Getter(t, "getSeconds", "seconds", d => d.Second);
        Getter(t, "getMilliseconds", "milliseconds", d => d.Millisecond);
        t.Add("getHours", "duration_to_hours", "duration.() int", a => ((CelDuration)a[0]).Nanos / 3_600_000_000_000);
        t.Add("getMinutes", "duration_to_minutes", "duration.() int", a => ((CelDuration)a[0]).Nanos / 60_000_000_000);
        t.Add("getSeconds", "duration_to_seconds", "duration.() int", a => ((CelDuration)a[0]).Nanos / 1_000_000_000);
        t.Add("getMilliseconds", "duration_to_milliseconds", "duration.() int", a => ((CelDuration)a[0]).Nanos / 1_000_000);
    }

    private static void Getter(FunctionTable t, string name, string id, Func<DateTimeOffset, int> get)
    {
        t.Add(name, $"timestamp_to_{id}", "timestamp.() int", a => (long)get(((CelTimestamp)a[0]).In(null)!.Value));
        t.Add(name, $"timestamp_to_{id}_with_tz", "timestamp.(string) int",
            a => ((CelTimestamp)a[0]).In((string)a[1]) is { } local ? (long)get(local) : new CelError($"unknown time zone {a[1]}"));
    }
}

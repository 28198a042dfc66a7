using System.Globalization;
using System.Text;
using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>Conversions between types.</summary>
internal static class Conversions
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void AddTo(FunctionTable t)
    {
        Numeric(t);
        t.Add("bool", "bool_to_bool", "(bool) bool", a => a[0]);
        t.Add("bool", "string_to_bool", "(string) bool", a => ToBool((string)a[0]));
        t.Add("string", "string_to_string", "(string) string", a => a[0]);
        foreach (var type in (string[])["bool", "int", "uint", "double", "timestamp", "duration"])
        {
            t.Add("string", $"{type}_to_string", $"({type}) string", a => Values.Values.Display(a[0]));
        }

        t.Add("string", "bytes_to_string", "(bytes) string", a => ToText(((CelBytes)a[0]).Value));
        t.Add("bytes", "bytes_to_bytes", "(bytes) bytes", a => a[0]);
        t.Add("bytes", "string_to_bytes", "(string) bytes", a => new CelBytes(Encoding.UTF8.GetBytes((string)a[0])));
        t.Add("timestamp", "timestamp_to_timestamp", "(timestamp) timestamp", a => a[0]);
        t.Add("timestamp", "int64_to_timestamp", "(int) timestamp",
            a => CelTimestamp.Create((long)a[0], 0) is { } time ? time : new CelError("timestamp overflow"));
        t.Add("timestamp", "string_to_timestamp", "(string) timestamp",
            a => CelTimestamp.TryParse((string)a[0]) is { } time ? time : Failed("string", "google.protobuf.Timestamp"));
        t.Add("duration", "duration_to_duration", "(duration) duration", a => a[0]);
        t.Add("duration", "int64_to_duration", "(int) duration", a => new CelDuration((long)a[0]));
        t.Add("duration", "string_to_duration", "(string) duration",
            a => CelDuration.TryParse((string)a[0]) is { } span ? span : Failed("string", "google.protobuf.Duration"));
    }

    private static void Numeric(FunctionTable t)
    {
        t.Add("int", "int64_to_int64", "(int) int", a => a[0]);
        t.Add("int", "uint64_to_int64", "(uint) int", a => (ulong)a[0] <= long.MaxValue ? (long)(ulong)a[0] : new CelError("integer overflow"));
        t.Add("int", "double_to_int64", "(double) int", a => Numbers.ToInt((double)a[0]));
        t.Add("int", "string_to_int64", "(string) int", a =>
            long.TryParse((string)a[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : Failed("string", "int"));
        t.Add("int", "timestamp_to_int64", "(timestamp) int", a => ((CelTimestamp)a[0]).Seconds);
        t.Add("int", "duration_to_int64", "(duration) int", a => ((CelDuration)a[0]).Nanos);
        t.Add("uint", "uint64_to_uint64", "(uint) uint", a => a[0]);
        t.Add("uint", "int64_to_uint64", "(int) uint", a => (long)a[0] >= 0 ? (ulong)(long)a[0] : new CelError("unsigned integer overflow"));
        t.Add("uint", "double_to_uint64", "(double) uint", a => Numbers.ToUint((double)a[0]));
        t.Add("uint", "string_to_uint64", "(string) uint", a =>
            ulong.TryParse((string)a[0], NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : Failed("string", "uint"));
        t.Add("double", "double_to_double", "(double) double", a => a[0]);
        t.Add("double", "int64_to_double", "(int) double", a => (double)(long)a[0]);
        t.Add("double", "uint64_to_double", "(uint) double", a => (double)(ulong)a[0]);
        t.Add("double", "string_to_double", "(string) double", a =>
            double.TryParse((string)a[0], NumberStyles.Float & ~(NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite), CultureInfo.InvariantCulture, out var n)
                ? n
                : Failed("string", "double"));
    }

    private static object ToBool(string text) => text switch
    {
        "1" or "t" or "true" or "TRUE" or "True" => Boxes.True,
        "0" or "f" or "false" or "FALSE" or "False" => Boxes.False,
        _ => Failed("string", "bool"),
    };

    private static object ToText(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (ArgumentException)
        {
            return new CelError("invalid UTF-8 in bytes, cannot convert to string");
        }
    }

    private static CelError Failed(string from, string to) => new($"type conversion error from '{from}' to '{to}'");
}

using System.Text.Json;
using Podhost.Api.Schema;

namespace Podhost.Api.OpenApi;

/// <summary>Scalars that have a name of their own in the documents; kubectl explain prints the name.</summary>
internal static class NamedScalars
{
    public const string Quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
    public const string IntOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
    public const string Time = KindNames.Meta + "Time";
    public const string MicroTime = KindNames.Meta + "MicroTime";
    public const string FieldsV1 = KindNames.Meta + "FieldsV1";
    public const string RawExtension = "io.k8s.apimachinery.pkg.runtime.RawExtension";

    public static readonly string[] All = [Quantity, IntOrString, Time, MicroTime, FieldsV1, RawExtension, KindNames.Patch];

    /// <summary>The name of a value's type, or null where it is written in place.</summary>
    public static string? NameOf(SchemaValue value, string field) => value.Kind switch
    {
        SchemaKind.Quantity => Quantity,
        SchemaKind.IntOrString => IntOrString,
        SchemaKind.DateTime => Time,
        SchemaKind.MicroTime => MicroTime,
        SchemaKind.Any => field == "fieldsV1" ? FieldsV1 : RawExtension,
        _ => null,
    };

    public static void Write(Utf8JsonWriter json, string name, Dialect dialect)
    {
        json.WriteStartObject(name);
        json.WriteString("description", Description(name));
        switch (name)
        {
            case Quantity when dialect == Dialect.V3:
                WriteOneOf(json, "string", "number");
                break;
            case IntOrString when dialect == Dialect.V3:
                json.WriteString("format", "int-or-string");
                WriteOneOf(json, "integer", "string");
                break;
            case FieldsV1 or RawExtension or KindNames.Patch:
                json.WriteString("type", "object");
                break;
            default:
                json.WriteString("type", "string");
                if (Format(name) is { } format)
                {
                    json.WriteString("format", format);
                }

                break;
        }

        json.WriteEndObject();
    }

    private static string? Format(string name) => name switch
    {
        Time or MicroTime => "date-time",
        IntOrString => "int-or-string",
        _ => null,
    };

    private static string Description(string name) => name switch
    {
        Quantity => "An exact amount in fixed-point notation with an optional suffix: n, u, m, k, M, G, T, P, E or Ki, Mi, Gi, Ti, Pi, Ei, or a decimal exponent.",
        IntOrString => "A whole number of 32 bits, or a string.",
        Time => "A time of RFC 3339, in seconds.",
        MicroTime => "A time of RFC 3339, in microseconds.",
        FieldsV1 => "A set of fields as a tree: f:NAME is a field, k:KEYS and v:VALUE an item of a list, . the place itself.",
        RawExtension => "An object of any kind.",
        _ => "A patch: a merge patch, a strategic merge patch or an applied configuration; or a list of operations of a JSON patch.",
    };

    private static void WriteOneOf(Utf8JsonWriter json, params string[] types)
    {
        json.WriteStartArray("oneOf");
        foreach (var type in types)
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

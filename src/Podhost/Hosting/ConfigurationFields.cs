using System.Text.Json.Nodes;
using Podhost.Api.Quantities;
using Podhost.Configuration;

namespace Podhost.Hosting;

/// <summary>Reads the values of a KubeletConfiguration's fields; a wrong one is refused by its path.</summary>
internal static class ConfigurationFields
{
    public static string Text(string name, JsonNode? value) =>
        value is JsonValue v && v.TryGetValue<string>(out var text) ? text : throw Wrong(name, "a string");

    public static bool Flag(string name, JsonNode? value) =>
        value is JsonValue v && v.TryGetValue<bool>(out var flag) ? flag : throw Wrong(name, "true or false");

    public static int Number(string name, JsonNode? value) =>
        value is JsonValue v && (v.TryGetValue<long>(out var number) || (v.TryGetValue<int>(out var small) && (number = small) >= 0)) && number is >= 0 and <= int.MaxValue
            ? (int)number
            : throw Wrong(name, "a whole number");

    public static long Bytes(string name, JsonNode? value) =>
        Quantity.TryParse(Text(name, value), out var quantity) ? quantity.Value : throw Wrong(name, "a quantity such as 10Mi");

    public static TimeSpan Duration(string name, JsonNode? value) =>
        value is JsonValue v && v.TryGetValue<string>(out var text) && GoDuration.TryParse(text, out var duration) ? duration : throw Wrong(name, "a duration such as 30s or 5m");

    public static Dictionary<string, string> Map(string name, JsonNode? value) =>
        Object(name, value).ToDictionary(e => e.Key, e => Text($"{name}.{e.Key}", e.Value));

    public static List<string> List(string name, JsonNode? value) => value is JsonArray list
        ? [.. list.Select(item => Text(name, item))]
        : throw Wrong(name, "a list of strings");

    public static JsonObject Object(string name, JsonNode? value) => value as JsonObject ?? throw Wrong(name, "a map");

    public static ConfigurationException Wrong(string name, string expected) => new($"KubeletConfiguration: {name}: Invalid value: must be {expected}");

    public static ConfigurationException NotSupported(string name) => new($"KubeletConfiguration: {name}: this field is not supported");
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;

namespace Podhost.ApiServer.Tables;

/// <summary>The name, and the columns that a definition asks for.</summary>
/// <remarks>Upstream: apiextensions-apiserver pkg/registry/customresource/tableconvertor.</remarks>
internal sealed class CustomPrinter(CustomKind kind) : TablePrinter
{
    public override IReadOnlyList<TableColumn> Columns { get; } =
    [
        Name,
        .. kind.Columns.Select(c => new TableColumn(c.Name, c.Type, Format: c.Format, Description: c.Description, Priority: c.Priority)),
    ];

    public override IEnumerable<JsonNode?> Cells(JsonObject obj, DateTimeOffset now) =>
        kind.Columns.Select(c => Cell(c, obj, now)).Prepend(obj["metadata"]?["name"]?.DeepClone());

    private static JsonNode? Cell(PrinterColumn column, JsonObject obj, DateTimeOffset now)
    {
        var found = column.Path?.Find(obj) ?? [];
        var value = found.Count == 0 ? null : found[0];
        return (column.Type, value) switch
        {
            (_, null) => null,
            ("string", _) => Text(value),
            ("date", JsonValue v) when v.GetValueKind() == JsonValueKind.String => Since(v.GetValue<string>(), now),
            ("boolean", JsonValue v) when v.GetValueKind() is JsonValueKind.True or JsonValueKind.False => v.DeepClone(),
            ("number", JsonValue v) when v.GetValueKind() == JsonValueKind.Number => v.DeepClone(),
            ("integer", JsonValue v) when v.GetValueKind() == JsonValueKind.Number => (long)double.Parse(v.ToJsonString(), CultureInfo.InvariantCulture),
            _ => null,
        };
    }

    private static string Text(JsonNode value) =>
        value is JsonValue v && v.GetValueKind() == JsonValueKind.String ? v.GetValue<string>() : value.ToJsonString();

    private static string Since(string text, DateTimeOffset now) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? Durations.Human(now - time) : "<invalid>";
}

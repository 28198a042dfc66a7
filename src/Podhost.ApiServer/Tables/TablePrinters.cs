using System.Text.Json.Nodes;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>The printer of each resource; kinds without one of their own show name and age.</summary>
internal static class TablePrinters
{
    private static readonly TablePrinter Default = new ColumnPrinter(
        [TablePrinter.Name, new TableColumn("Created At")],
        (obj, _) => [Meta.Name(obj), Meta.Get(obj, "creationTimestamp")]);

    public static TablePrinter For(ResourceInfo resource) => Default;
}

/// <summary>A printer that is a list of columns and one function.</summary>
internal sealed class ColumnPrinter(IReadOnlyList<TableColumn> columns, Func<JsonObject, DateTimeOffset, IEnumerable<JsonNode?>> cells) : TablePrinter
{
    public override IReadOnlyList<TableColumn> Columns => columns;

    public override IEnumerable<JsonNode?> Cells(JsonObject obj, DateTimeOffset now) => cells(obj, now);
}

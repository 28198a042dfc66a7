using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Tables;

/// <summary>A column of a table.</summary>
/// <param name="Name">Title.</param>
/// <param name="Type">string, integer or boolean.</param>
/// <param name="Wide">True where only -o wide shows it.</param>
/// <param name="Format"><c>name</c> for the column of the object's name.</param>
/// <param name="Description">What it shows.</param>
/// <param name="Priority">As a definition gives it; null: by <paramref name="Wide"/>.</param>
internal sealed record TableColumn(string Name, string Type = "string", bool Wide = false, string Format = "", string Description = "", int? Priority = null)
{
    public JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["type"] = Type,
        ["format"] = Format,
        ["description"] = Description,
        ["priority"] = Priority ?? (Wide ? 1 : 0),
    };
}

/// <summary>How objects of a kind become cells. Pure.</summary>
internal abstract class TablePrinter
{
    public static TableColumn Name { get; } = new("Name", Format: "name", Description:
        "Name must be unique within a namespace. Is required when creating resources.");

    public static TableColumn Age { get; } = new("Age", Description: "Time since the object was created.");

    public abstract IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>One cell a column.</summary>
    public abstract IEnumerable<JsonNode?> Cells(JsonObject obj, DateTimeOffset now);

    /// <summary>Conditions of the row, for kubectl's highlighting; null for none.</summary>
    public virtual JsonArray? Conditions(JsonObject obj) => null;
}

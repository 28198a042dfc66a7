using System.Text.Json.Nodes;

namespace Podhost.Api.CustomResources;

/// <summary>A path of field names (<c>.spec.replicas</c>) into an object, as scale and selectable fields use it.</summary>
public sealed class SimplePath
{
    private readonly string[] steps;

    private SimplePath(string text, string[] steps) => (Text, this.steps) = (text, steps);

    /// <summary>The path as it was written.</summary>
    public string Text { get; }

    /// <summary>The field names.</summary>
    public IReadOnlyList<string> Steps => steps;

    /// <summary>Reads a path that begins with a dot.</summary>
    public static SimplePath Parse(string text) => new(text, text.TrimStart('.').Split('.', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The value at the path, or null.</summary>
    public JsonNode? Get(JsonObject obj) => steps.Aggregate((JsonNode?)obj, (node, step) => (node as JsonObject)?[step]);

    /// <summary>Sets the value; objects on the way are made.</summary>
    public void Set(JsonObject obj, JsonNode? value)
    {
        foreach (var step in steps[..^1])
        {
            if (obj[step] is not JsonObject child)
            {
                child = [];
                obj[step] = child;
            }

            obj = child;
        }

        obj[steps[^1]] = value;
    }

    /// <summary>The schema of the value, or null where the path leaves what is declared.</summary>
    public SchemaNode? In(SchemaNode schema) => steps.Aggregate((SchemaNode?)schema, (node, step) => node?.Properties.GetValueOrDefault(step));
}

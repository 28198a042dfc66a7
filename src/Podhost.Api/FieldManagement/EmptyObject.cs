using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>
/// What a create is compared with: the object as Go encodes it when nothing is set. Structs that are not pointers are there, and so are
/// lists that are required; ownership of them is not recorded, only of what is in them.
/// </summary>
internal static class EmptyObject
{
    private static readonly string[] Structs = ["metadata", "spec", "status", "template", "strategy", "updateStrategy", "jobTemplate"];

    public static JsonObject Of(SchemaType type, int depth = 0)
    {
        var obj = new JsonObject();
        foreach (var field in type.IsUnstructured ? [] : type.Fields)
        {
            if (field.Value.Kind == SchemaKind.Object && Structs.Contains(field.Name) && depth < 4)
            {
                obj[field.Name] = Of(field.Value.Type!, depth + 1);
            }
            else if (field is { Required: true, Value.Kind: SchemaKind.List or SchemaKind.Object })
            {
                obj[field.Name] = null;
            }
        }

        return obj;
    }
}

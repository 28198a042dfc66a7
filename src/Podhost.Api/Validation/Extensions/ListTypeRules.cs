using System.Text.Json.Nodes;

namespace Podhost.Api.Validation.Extensions;

/// <summary>x-kubernetes-list-type, x-kubernetes-list-map-keys and x-kubernetes-map-type.</summary>
internal static class ListTypeRules
{
    public static void Check(Field schema)
    {
        CheckList(schema);
        CheckMap(schema);
    }

    private static void CheckList(Field schema)
    {
        var (type, list, keys) = (schema["type"], schema["x-kubernetes-list-type"], schema["x-kubernetes-list-map-keys"]);
        if (list.IsSet && type.Text != "array")
        {
            Demand(type, "must be array if x-kubernetes-list-type is specified");
        }

        list.OneOf("atomic", "map", "set");
        if (keys.Count > 0 && list.Text != "map")
        {
            Demand(list, "must be map if x-kubernetes-list-map-keys is non-empty");
        }

        if (list.Text == "map")
        {
            CheckMapList(schema, keys);
        }
        else if (list.Text == "set")
        {
            CheckSet(schema["items"]);
        }
    }

    private static void CheckMapList(Field schema, Field keys)
    {
        if (keys.Count == 0)
        {
            keys.Required("must not be empty if x-kubernetes-list-type is map");
        }

        var items = schema["items"];
        if (items.Node is not JsonObject)
        {
            items.Required("must have a schema if x-kubernetes-list-type is map");
            return;
        }

        if (items["type"].Text != "object")
        {
            items["type"].Invalid("must be object if parent array's x-kubernetes-list-type is map");
        }

        if (items["nullable"].Flag)
        {
            items["nullable"].Forbidden("cannot be nullable when x-kubernetes-list-type is map");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in keys.Items)
        {
            if (!seen.Add(key.Text))
            {
                key.Duplicate();
            }

            CheckKey(items, keys, key.Text);
        }
    }

    private static void CheckKey(Field items, Field keys, string key)
    {
        var property = items["properties"].Key(key);
        if (!property.IsSet)
        {
            keys.Invalid("entries must all be names of item properties");
            return;
        }

        if (property["type"].Text is "array" or "object")
        {
            property["type"].Invalid("must be a scalar type if parent array's x-kubernetes-list-type is map");
        }

        if (property["nullable"].Flag)
        {
            property["nullable"].Forbidden("this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
        }

        if (!property["default"].IsSet && items["required"].Items.All(r => r.Text != key))
        {
            property["default"].Required("this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
        }
    }

    private static void CheckSet(Field items)
    {
        if (items["nullable"].Flag)
        {
            items["nullable"].Forbidden("cannot be nullable when x-kubernetes-list-type is set");
        }

        if (items["type"].Text == "object" && items["x-kubernetes-map-type"].Text != "atomic")
        {
            items["x-kubernetes-map-type"].Invalid("must be atomic as item of a list with x-kubernetes-list-type=set");
        }

        if (items["type"].Text == "array" && items["x-kubernetes-list-type"].Text is not ("" or "atomic"))
        {
            items["x-kubernetes-list-type"].Invalid("must be atomic as item of a list with x-kubernetes-list-type=set");
        }
    }

    private static void CheckMap(Field schema)
    {
        var map = schema["x-kubernetes-map-type"];
        if (map.IsSet && schema["type"].Text != "object")
        {
            Demand(schema["type"], "must be object if x-kubernetes-map-type is specified");
        }

        map.OneOf("atomic", "granular");
    }

    private static void Demand(Field field, string detail)
    {
        if (field.Text.Length == 0)
        {
            field.Required(detail);
        }
        else
        {
            field.Invalid(detail);
        }
    }
}

using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;

namespace Podhost.Api.Validation.Extensions;

/// <summary>One version of a custom kind.</summary>
internal static class DefinitionVersionRules
{
    private const int MaxWarningBytes = 256;
    private const int MaxSelectableFields = 8;
    private static readonly string[] ColumnTypes = ["boolean", "date", "integer", "number", "string"];
    private static readonly string[] ColumnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

    public static void Check(Field version)
    {
        if (Names.Dns1035Label(version["name"].Text).ToList() is { Count: > 0 } faults)
        {
            version["name"].Invalid(string.Join(',', faults));
        }

        CheckWarning(version);
        var schema = version["schema"]["openAPIV3Schema"];
        if (schema.Node is not JsonObject)
        {
            schema.Required("schemas are required");
        }
        else
        {
            StructuralRules.Check(schema);
        }

        CheckSubresources(version["subresources"]);
        foreach (var column in version["additionalPrinterColumns"].Items)
        {
            CheckColumn(column);
        }

        CheckSelectable(version["selectableFields"], schema.Node as JsonObject);
    }

    private static void CheckWarning(Field version)
    {
        var warning = version["deprecationWarning"];
        if (!warning.IsSet)
        {
            return;
        }

        if (!version["deprecated"].Flag)
        {
            warning.Invalid("can only be set for deprecated versions");
        }

        if (warning.Text.Length > MaxWarningBytes)
        {
            warning.Invalid($"must be <= {MaxWarningBytes} characters long");
        }

        if (warning.Text.Length == 0)
        {
            warning.Invalid("must not be empty");
        }

        if (warning.Text.Any(char.IsControl))
        {
            warning.Invalid("must only contain printable UTF-8 characters; non-printable character found");
        }
    }

    private static void CheckSubresources(Field subresources)
    {
        var scale = subresources["scale"];
        if (!scale.IsSet)
        {
            return;
        }

        CheckScalePath(scale, "specReplicasPath", ".spec.");
        CheckScalePath(scale, "statusReplicasPath", ".status.");
        if (scale["labelSelectorPath"].Text.Length > 0)
        {
            CheckScalePath(scale, "labelSelectorPath", ".spec.", ".status.");
        }
    }

    private static void CheckScalePath(Field scale, string name, params string[] roots)
    {
        var path = scale[name];
        if (path.Text.Length == 0)
        {
            path.Required();
        }
        else if (CheckSimplePath(path) && !roots.Any(r => path.Text.StartsWith(r, StringComparison.Ordinal)))
        {
            path.Invalid("should be a json path under " + string.Join(" or ", roots.Reverse().Select(r => r.TrimEnd('.'))));
        }
    }

    private static void CheckColumn(Field column)
    {
        if (column["name"].Text.Length == 0)
        {
            column["name"].Required();
        }

        CheckWord(column["type"], ColumnTypes, required: true);
        CheckWord(column["format"], ColumnFormats, required: false);
        var path = column["jsonPath"];
        if (path.Text.Length == 0)
        {
            path.Required();
        }
        else if (CheckSimplePath(path))
        {
            CheckQuery(path);
        }
    }

    private static void CheckWord(Field field, string[] words, bool required)
    {
        var detail = "must be one of " + string.Join(',', words);
        if (field.Text.Length == 0 && required)
        {
            field.Required(detail);
        }
        else if (field.Text.Length > 0 && !words.Contains(field.Text))
        {
            field.Invalid(detail);
        }
    }

    private static void CheckQuery(Field path)
    {
        try
        {
            JsonPathQuery.Parse(path.Text);
        }
        catch (FormatException e)
        {
            path.Invalid("is invalid: " + e.Message);
        }
    }

    private static bool CheckSimplePath(Field path)
    {
        if (path.Text.StartsWith('.'))
        {
            return true;
        }

        path.Invalid("must be a simple json path starting with .");
        return false;
    }

    private static void CheckSelectable(Field fields, JsonObject? schema)
    {
        if (fields.Count > MaxSelectableFields)
        {
            fields.TooMany(MaxSelectableFields);
        }

        var root = schema is null ? null : SchemaNode.Read(schema);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in fields.Items.Select(f => f["jsonPath"]))
        {
            if (path.Text.Length == 0)
            {
                path.Required();
            }
            else if (!seen.Add(path.Text))
            {
                path.Duplicate();
            }
            else if (CheckSimplePath(path) && root is not null)
            {
                CheckSelectable(path, root);
            }
        }
    }

    private static void CheckSelectable(Field path, SchemaNode root)
    {
        var simple = SimplePath.Parse(path.Text);
        if (simple.Steps is ["metadata", ..])
        {
            path.Invalid("must not point to fields in metadata");
        }
        else if (simple.In(root) is not { } target)
        {
            path.Invalid("does not refer to a valid field");
        }
        else if (target.Type is not ("string" or "boolean" or "integer"))
        {
            path.Invalid($"must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.");
        }
    }
}

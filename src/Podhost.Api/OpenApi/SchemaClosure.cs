using Podhost.Api.Schema;

namespace Podhost.Api.OpenApi;

/// <summary>The types that a set of types refers to.</summary>
internal static class SchemaClosure
{
    public static SortedSet<string> Of(IEnumerable<string> roots, CustomSchemas custom)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(roots);
        while (open.TryPop(out var name))
        {
            if (!names.Add(name) || NamedScalars.All.Contains(name))
            {
                continue;
            }

            if (custom.Contains(name))
            {
                open.Push(CustomSchemaDocument.ObjectMeta);
                open.Push(CustomSchemaDocument.ListMeta);
                continue;
            }

            foreach (var field in SchemaCatalog.Get(name).Fields)
            {
                var value = Innermost(field.Value);
                if ((value.Type?.Name ?? NamedScalars.NameOf(value, field.Name)) is { } reference)
                {
                    open.Push(reference);
                }
            }
        }

        return names;
    }

    private static SchemaValue Innermost(SchemaValue value)
    {
        while (value.Item is { } item)
        {
            value = item;
        }

        return value;
    }
}

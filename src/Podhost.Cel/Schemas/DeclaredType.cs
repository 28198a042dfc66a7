using Podhost.Cel.Types;

namespace Podhost.Cel.Schemas;

/// <summary>The type that a schema declares, with the sizes that estimates of costs need.</summary>
public sealed class DeclaredType
{
    /// <summary>Most bytes of a request that sizes are derived from.</summary>
    internal const long MaxRequestBytes = 3 * 1024 * 1024;

    private const long MinString = 2;
    private const long MinBool = 4;
    private const long MinNumber = 1;
    private const long MinDuration = 3;
    private const long MinDateTime = 21;
    private const long DateSize = 12;
    private const long MaxDuration = 32;
    private const long MaxDateTime = 32;

    private readonly Dictionary<string, DeclaredType> _fields = new(StringComparer.Ordinal);

    private DeclaredType(CelType type, long minSize, long maxElements) => (Type, MinSize, MaxElements) = (type, minSize, maxElements);

    /// <summary>Type of expressions.</summary>
    public CelType Type { get; }

    /// <summary>Fewest bytes of a value as JSON.</summary>
    internal long MinSize { get; }

    /// <summary>Most elements of a list or map, bytes of a string.</summary>
    public long MaxElements { get; }

    /// <summary>Type of items of a list, of values of a map, or null.</summary>
    public DeclaredType? Element { get; private init; }

    /// <summary>Type of keys of a map, or null.</summary>
    public DeclaredType? Key { get; private init; }

    /// <summary>Type of a field by its name in expressions, or null.</summary>
    public DeclaredType? Field(string name) => _fields.GetValueOrDefault(name);

    /// <summary>The type of a schema, named <paramref name="name"/>; null where expressions cannot use values of it.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="name">Name of the type, and beginning of the names of the types below it.</param>
    /// <param name="isResource">True for the root of an object with kind and metadata.</param>
    public static DeclaredType? Of(CelSchema schema, string name, bool isResource) => new Reader().Read(schema, name, isResource || schema.IsEmbeddedResource);

    private sealed class Reader
    {
        private const int MaxDepth = 40;
        private int _depth;

        public DeclaredType? Read(CelSchema schema, string name, bool isResource)
        {
            if (schema.IsIntOrString)
            {
                return new DeclaredType(CelType.Dyn, 1, schema.MaxLength is { } max ? Bytes(max) : MaxRequestBytes - 2);
            }

            // A type that contains itself has an end for expressions.
            if (_depth >= MaxDepth)
            {
                return null;
            }

            _depth++;
            schema = isResource ? schema.AsResource() : schema;
            var type = schema.Type switch
            {
                "array" => List(schema, name),
                "object" when schema.AdditionalProperties is { } values => Map(schema, values, name),
                "object" => Object(schema, name),
                "string" => Text(schema),
                "boolean" => new DeclaredType(CelType.Bool, MinBool, 0),
                "number" => new DeclaredType(CelType.Double, MinNumber, 0),
                "integer" => new DeclaredType(CelType.Int, MinNumber, 0),
                _ => null,
            };
            _depth--;
            return type;
        }

        private DeclaredType? List(CelSchema schema, string name)
        {
            if (schema.Items is null || Read(schema.Items, name + ".@idx", schema.Items.IsEmbeddedResource) is not { } item)
            {
                return null;
            }

            var max = schema.MaxItems is { } declared ? Math.Max(0, declared) : (MaxRequestBytes - 2) / (item.MinSize + 1);
            return new DeclaredType(CelType.List(item.Type), 2, max) { Element = item };
        }

        private DeclaredType? Map(CelSchema schema, CelSchema values, string name)
        {
            if (Read(values, name + ".@elem", values.IsEmbeddedResource) is not { } value)
            {
                return null;
            }

            var max = schema.MaxProperties is { } declared ? Math.Max(0, declared) : (MaxRequestBytes - 2) / (value.MinSize + 6);
            var key = new DeclaredType(CelType.String, MinString, MaxRequestBytes - 2);
            return new DeclaredType(CelType.Map(CelType.String, value.Type), 2, max) { Element = value, Key = key };
        }

        private DeclaredType Object(CelSchema schema, string name)
        {
            var fields = new Dictionary<string, DeclaredType>(StringComparer.Ordinal);
            long minSize = 2;
            foreach (var property in schema.PropertyNames)
            {
                var child = schema.Property(property)!;
                if (FieldNames.Escape(property) is not { } field || Read(child, $"{name}.{field}", child.IsEmbeddedResource) is not { } type)
                {
                    continue;
                }

                fields[field] = type;
                if (schema.Required.Contains(property) && !child.HasDefault)
                {
                    minSize += property.Length + type.MinSize + 4;
                }
            }

            var result = new DeclaredType(CelType.Object(name, fields.ToDictionary(f => f.Key, f => f.Value.Type, StringComparer.Ordinal)), minSize, 0);
            foreach (var (field, type) in fields)
            {
                result._fields[field] = type;
            }

            return result;
        }

        private static DeclaredType Text(CelSchema schema) => schema.Format switch
        {
            "byte" => new DeclaredType(CelType.Bytes, MinString, schema.MaxLength is { } max ? Math.Max(0, max) : MaxRequestBytes - 2),
            "duration" => new DeclaredType(CelType.Duration, MinDuration, MaxDuration),
            "date" => new DeclaredType(CelType.Timestamp, DateSize, DateSize),
            "date-time" => new DeclaredType(CelType.Timestamp, MinDateTime, MaxDateTime),
            _ => new DeclaredType(CelType.String, MinString, MaxText(schema)),
        };

        private static long MaxText(CelSchema schema) => schema.MaxLength is { } max ? Bytes(max)
            : schema.EnumTexts.Count > 0 ? schema.EnumTexts.Max(CodePointBytes)
            : MaxRequestBytes - 2;

        private static long CodePointBytes(string text) => Values.CodePoints.Utf8Length(text);

        // A character may take four bytes.
        private static long Bytes(long maxLength) => Math.Max(0, maxLength) * 4;
    }
}

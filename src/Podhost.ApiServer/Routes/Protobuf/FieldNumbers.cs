using System.Collections.Frozen;
using System.Globalization;

namespace Podhost.ApiServer.Routes.Protobuf;

/// <summary>One field of a message.</summary>
/// <param name="Name">JSON name; empty where the message is written into its parent.</param>
/// <param name="Inlined">The message whose fields are written into the parent, or null.</param>
/// <param name="ZeroIsUnset">True where Go sends a zero for what is not set.</param>
/// <param name="EmptyIsSet">True where an empty string is a value (Go has a pointer) and not what Go sends for none.</param>
/// <param name="Form">The forms that JSON shows the field's message in, or empty: see <see cref="SchemaForms"/>.</param>
internal sealed record ProtobufField(string Name, string? Inlined, bool ZeroIsUnset = false, bool EmptyIsSet = false, string Form = "");

/// <summary>Numbers of the fields of the API's protobuf form; the field's type is the schema's.</summary>
internal static class FieldNumbers
{
    private const string Resource = "Podhost.ApiServer.Routes.Protobuf.field-numbers.tsv";
    private static readonly Lazy<FrozenDictionary<string, Dictionary<int, ProtobufField>>> Messages = new(Load);

    /// <summary>The fields of a message, or null where the type has no protobuf form here.</summary>
    public static IReadOnlyDictionary<int, ProtobufField>? Of(string typeName) => Messages.Value.GetValueOrDefault(typeName);

    /// <summary>The JSON names of a message's fields, with those of the messages that are written into it.</summary>
    public static IEnumerable<string> NamesOf(string typeName) =>
        (Of(typeName)?.Values ?? []).SelectMany(f => f.Inlined is null ? [f.Name] : NamesOf(f.Inlined));

    private static FrozenDictionary<string, Dictionary<int, ProtobufField>> Load()
    {
        using var stream = typeof(FieldNumbers).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"the resource {Resource} is missing");
        using var reader = new StreamReader(stream);
        var messages = new Dictionary<string, Dictionary<int, ProtobufField>>(StringComparer.Ordinal);
        Dictionary<int, ProtobufField> current = [];
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            if (!line.StartsWith('\t'))
            {
                messages[line] = current = [];
                continue;
            }

            var parts = line.Split('\t');
            current[int.Parse(parts[1], CultureInfo.InvariantCulture)] = parts[2].StartsWith('*')
                ? new ProtobufField("", parts[2][1..])
                : new ProtobufField(parts[2], null, parts is [_, _, _, "z"], parts is [_, _, _, "k"], parts is [_, _, _, ['@', .. var form]] ? form : "");
        }

        return messages.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Podhost.Api.Yaml;

/// <summary>Where a field stands in a manifest's text, for messages about it. JSON is read too: it is YAML but for rare whitespace.</summary>
public static class YamlLines
{
    /// <summary>The line, from 1, of a field of the first document, or of the nearest field above it that is there; 0 where the text is no YAML.</summary>
    /// <param name="text">The manifest.</param>
    /// <param name="field">The path, for example <c>spec.containers[0].image</c>; a bracket holds an index or a key.</param>
    public static int Of(string text, string field)
    {
        try
        {
            var parser = new GuardedParser(new StringReader(text));
            parser.Consume<StreamStart>();
            return parser.TryConsume<StreamEnd>(out _) ? 0 : Find(parser, Segments(field));
        }
        catch (YamlDotNet.Core.YamlException)
        {
            return 0;
        }
    }

    private static int Find(GuardedParser parser, List<string> segments)
    {
        parser.Consume<DocumentStart>();
        var line = (int)(parser.Current?.Start.Line ?? 0);
        foreach (var segment in segments)
        {
            var found = parser.Current switch
            {
                MappingStart => Key(parser, segment),
                SequenceStart => Item(parser, segment),
                _ => 0,
            };
            if (found == 0)
            {
                return line;
            }

            line = found;
        }

        return line;
    }

    // Leaves the parser at the key's value.
    private static int Key(GuardedParser parser, string name)
    {
        parser.MoveNext();
        while (parser.Current is not (MappingEnd or null))
        {
            if (parser.Current is Scalar key && key.Value == name)
            {
                parser.MoveNext();
                return (int)key.Start.Line;
            }

            parser.SkipThisAndNestedEvents();
            parser.SkipThisAndNestedEvents();
        }

        return 0;
    }

    private static int Item(GuardedParser parser, string index)
    {
        if (!int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var left))
        {
            return 0;
        }

        parser.MoveNext();
        while (parser.Current is not (SequenceEnd or null))
        {
            if (left-- == 0)
            {
                return (int)parser.Current.Start.Line;
            }

            parser.SkipThisAndNestedEvents();
        }

        return 0;
    }

    private static List<string> Segments(string field)
    {
        var segments = new List<string>();
        var rest = field.AsSpan();
        while (rest.Length > 0)
        {
            if (rest[0] == '[' && rest.IndexOf(']') is > 0 and var close)
            {
                segments.Add(rest[1..close].ToString());
                rest = rest[(close + 1)..];
                continue;
            }

            rest = rest[0] == '.' ? rest[1..] : rest;
            var end = rest.IndexOfAny('.', '[') is >= 0 and var found ? found : rest.Length;
            if (end == 0)
            {
                break; // no path as we write them
            }

            segments.Add(rest[..end].ToString());
            rest = rest[end..];
        }

        return segments;
    }
}

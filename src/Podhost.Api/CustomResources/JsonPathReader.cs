using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Podhost.Api.CustomResources;

using Step = Func<JsonNode?, IEnumerable<JsonNode?>>;

/// <summary>Reads the text of a <see cref="JsonPathQuery"/>.</summary>
internal sealed class JsonPathReader(string text)
{
    private static readonly string[] Operators = ["==", "!=", "<=", ">=", "<", ">"];
    private int at;

    /// <exception cref="FormatException">The text is no path.</exception>
    public IReadOnlyList<Step> Read()
    {
        var steps = new List<Step>();
        if (at < text.Length && text[at] is '$' or '@')
        {
            at++;
        }

        while (at < text.Length)
        {
            steps.AddRange(ReadStep());
        }

        return steps;
    }

    private IEnumerable<Step> ReadStep()
    {
        switch (text[at])
        {
            case '.' when text.AsSpan(at).StartsWith(".."):
                at += 2;
                return at < text.Length && text[at] != '[' ? [JsonPathQuery.Descend, ReadName()] : [JsonPathQuery.Descend];
            case '.':
                at++;
                return at < text.Length && text[at] != '[' ? [ReadName()] : [];
            case '[':
                return [ReadBracket()];
            default:
                throw new FormatException($"unexpected character {text[at]} in {text}");
        }
    }

    private Step ReadName()
    {
        var name = new StringBuilder();
        for (; at < text.Length && text[at] is not ('.' or '['); at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
            }

            name.Append(text[at]);
        }

        var field = name.ToString();
        return field == "*" ? JsonPathQuery.All : node => JsonPathQuery.Member(node, field);
    }

    private Step ReadBracket()
    {
        var end = ClosingBracket();
        var inside = text[(at + 1)..end].Trim();
        at = end + 1;
        if (inside.StartsWith("?(", StringComparison.Ordinal) && inside.EndsWith(')'))
        {
            return Filter(inside[2..^1].Trim());
        }

        var parts = inside.Split(',').Select(p => Selector(p.Trim())).ToList();
        return node => parts.SelectMany(p => p(node));
    }

    private int ClosingBracket()
    {
        var quote = '\0';
        var depth = 0;
        for (var i = at; i < text.Length; i++)
        {
            var c = text[i];
            if (quote != '\0')
            {
                quote = c == quote ? '\0' : quote;
            }
            else if (c is '"' or '\'')
            {
                quote = c;
            }
            else if (c == '[')
            {
                depth++;
            }
            else if (c == ']' && --depth == 0)
            {
                return i;
            }
        }

        throw new FormatException($"unterminated array in {text}");
    }

    private static Step Selector(string part)
    {
        if (part == "*")
        {
            return JsonPathQuery.All;
        }

        if (part.Length >= 2 && part[0] is '"' or '\'' && part[^1] == part[0])
        {
            var name = part[1..^1];
            return node => JsonPathQuery.Member(node, name);
        }

        if (part.Contains(':', StringComparison.Ordinal))
        {
            var bounds = part.Split(':');
            var (from, to, step) = (Number(bounds[0]), Number(bounds[1]), bounds.Length > 2 ? Number(bounds[2]) ?? 1 : 1);
            return node => JsonPathQuery.Slice(node, from, to, step);
        }

        var index = Number(part) ?? throw new FormatException("an index is missing");
        return node => JsonPathQuery.Index(node, index);
    }

    private static Step Filter(string condition)
    {
        foreach (var op in Operators)
        {
            if (condition.IndexOf(op, StringComparison.Ordinal) is var i and > 0)
            {
                var left = new JsonPathReader(condition[..i].Trim()).Read();
                var right = Side(condition[(i + op.Length)..].Trim());
                return node => JsonPathQuery.All(node).Where(item => JsonPathQuery.Compare(First(left, item), op, right(item)));
            }
        }

        var path = new JsonPathReader(condition).Read();
        return node => JsonPathQuery.All(node).Where(item => Run(path, item).Any());
    }

    private static Func<JsonNode?, JsonNode?> Side(string side)
    {
        if (side.StartsWith('@'))
        {
            var path = new JsonPathReader(side).Read();
            return item => First(path, item);
        }

        var constant = JsonPathQuery.Constant(side);
        return _ => constant;
    }

    private static JsonNode? First(IReadOnlyList<Step> path, JsonNode? item) => Run(path, item).FirstOrDefault();

    private static IEnumerable<JsonNode?> Run(IReadOnlyList<Step> path, JsonNode? item) =>
        path.Aggregate((IEnumerable<JsonNode?>)[item], (found, step) => found.SelectMany(step));

    private static int? Number(string number) => number.Length == 0 ? null
        : int.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n
        : throw new FormatException($"invalid array index {number}");
}

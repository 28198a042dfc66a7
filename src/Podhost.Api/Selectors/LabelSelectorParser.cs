namespace Podhost.Api.Selectors;

/// <summary>The grammar of the string form: <c>key</c>, <c>!key</c>, <c>key op value</c>, <c>key in (a, b)</c>, joined by commas.</summary>
internal sealed class LabelSelectorParser
{
    private const string BinaryOperators = "in, notin, =, ==, !=, gt, lt";

    private readonly List<string> tokens;
    private int next;

    public LabelSelectorParser(string selector) => tokens = LabelSelectorLexer.Tokens(selector);

    public List<LabelRequirement> Parse()
    {
        var requirements = new List<LabelRequirement>();
        if (Peek() is "")
        {
            return requirements;
        }

        if (!StartsRequirement(Peek()))
        {
            throw new FormatException($"found '{Peek()}', expected: !, identifier, or 'end of string'");
        }

        while (true)
        {
            requirements.Add(ParseRequirement());
            var separator = Take();
            if (separator is "")
            {
                return requirements;
            }

            if (separator is not ",")
            {
                throw new FormatException($"found '{separator}', expected: ',' or 'end of string'");
            }

            if (!StartsRequirement(Peek()))
            {
                throw new FormatException($"found '{Peek()}', expected: identifier after ','");
            }
        }
    }

    private static bool StartsRequirement(string token) => token is "!" || LabelSelectorLexer.IsIdentifier(token);

    private LabelRequirement ParseRequirement()
    {
        try
        {
            return ParseOne();
        }
        catch (FormatException e)
        {
            throw new FormatException("unable to parse requirement: " + e.Message, e);
        }
    }

    private LabelRequirement ParseOne()
    {
        var absent = Peek() is "!";
        if (absent)
        {
            Take();
        }

        var key = Take();
        if (!LabelSelectorLexer.IsIdentifier(key))
        {
            throw new FormatException($"found '{key}', expected: identifier");
        }

        if (absent || Peek() is "" or ",")
        {
            return new LabelRequirement(key, absent ? LabelOperator.DoesNotExist : LabelOperator.Exists, []);
        }

        return Take() switch
        {
            "in" => new LabelRequirement(key, LabelOperator.In, ParseSet()),
            "notin" => new LabelRequirement(key, LabelOperator.NotIn, ParseSet()),
            "=" or "==" => new LabelRequirement(key, LabelOperator.In, [ParseValue()]),
            "!=" => new LabelRequirement(key, LabelOperator.NotIn, [ParseValue()]),
            ">" => new LabelRequirement(key, LabelOperator.GreaterThan, [ParseValue()]),
            "<" => new LabelRequirement(key, LabelOperator.LessThan, [ParseValue()]),
            var other => throw new FormatException($"found '{other}', expected: {BinaryOperators}"),
        };
    }

    private string ParseValue()
    {
        if (Peek() is "" or ",")
        {
            return "";
        }

        var value = Take();
        return LabelSelectorLexer.IsIdentifier(value) ? value : throw new FormatException($"found '{value}', expected: identifier");
    }

    // An item may be empty: "(a,)" and "()" hold the empty string.
    private List<string> ParseSet()
    {
        if (Take() is not "(" and var wrong)
        {
            throw new FormatException($"found '{wrong}' expected: '('");
        }

        var values = new SortedSet<string>(StringComparer.Ordinal);
        while (true)
        {
            values.Add(LabelSelectorLexer.IsIdentifier(Peek()) ? Take() : "");
            switch (Take())
            {
                case ")":
                    return [.. values];
                case ",":
                    continue;
                case var other:
                    throw new FormatException($"found '{other}', expected: ',' or ')'");
            }
        }
    }

    private string Peek() => next < tokens.Count ? tokens[next] : "";

    private string Take() => next < tokens.Count ? tokens[next++] : "";
}

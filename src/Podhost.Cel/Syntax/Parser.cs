using System.Globalization;
using Podhost.Cel.Values;

namespace Podhost.Cel.Syntax;

/// <summary>
/// A recursive descent parser of CEL's grammar. It never throws: faults are issues. Depth (250 levels) and length (100,000 code points) are
/// bounded as in cel-go.
/// </summary>
internal sealed class Parser
{
    private const int MaxDepth = 250;
    private const int MaxLength = 100_000;

    private const string Operands =
        "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

    private static readonly HashSet<string> Reserved =
    [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    ];

    private readonly List<Token> _tokens;
    private readonly List<Issue> _issues;
    private int _at;
    private int _depth;

    private Parser(List<Token> tokens, List<Issue> issues) => (_tokens, _issues) = (tokens, issues);

    private Token Current => _tokens[_at];

    /// <summary>The tree of an expression; null where it has faults, which are added to <paramref name="issues"/>.</summary>
    public static Expr? Parse(string text, List<Issue> issues)
    {
        if (text.Length > MaxLength)
        {
            issues.Add(new Issue(0, $"expression code point size exceeds limit: size: {text.Length}, limit {MaxLength}"));
            return null;
        }

        var parser = new Parser(new Lexer(text, issues).Read(), issues);
        try
        {
            var expr = parser.Expression();
            parser.ExpectEnd();
            return issues.Count == 0 ? expr : null;
        }
        catch (SyntaxException e)
        {
            issues.Add(e.Issue);
            return null;
        }
    }

    private Expr Expression()
    {
        if (++_depth > MaxDepth)
        {
            throw TooDeep();
        }

        var condition = Or();
        if (Current.Is("?"))
        {
            var offset = Take().Offset;
            var whenTrue = Or();
            Expect(":");
            condition = NewCall(offset, Operators.Conditional, null, [condition, whenTrue, Expression()]);
        }

        _depth--;
        return condition;
    }

    private Expr Or() => Chain(And, Operators.Or, "||");

    private Expr And() => Chain(Relation, Operators.And, "&&");

    // Long chains become balanced trees: they evaluate the same and stay shallow.
    private Expr Chain(Func<Expr> term, string function, string symbol)
    {
        List<Expr> terms = [term()];
        List<int> offsets = [];
        while (Current.Is(symbol))
        {
            offsets.Add(Take().Offset);
            terms.Add(term());
        }

        return terms.Count == 1 ? terms[0] : Balance(terms, offsets, function, 0, offsets.Count - 1);
    }

    private static Call Balance(List<Expr> terms, List<int> offsets, string function, int low, int high)
    {
        var middle = (low + high + 1) / 2;
        var left = middle == low ? terms[middle] : Balance(terms, offsets, function, low, middle - 1);
        var right = middle == high ? terms[middle + 1] : Balance(terms, offsets, function, middle + 1, high);
        return NewCall(offsets[middle], function, null, [left, right]);
    }

    private Expr Relation() => Binary(Sum, t => t.Text switch
    {
        "==" => Operators.Equal,
        "!=" => Operators.NotEqual,
        "<" => Operators.Less,
        "<=" => Operators.LessEqual,
        ">" => Operators.Greater,
        ">=" => Operators.GreaterEqual,
        "in" => Operators.In,
        _ => null,
    });

    private Expr Sum() => Binary(Product, t => t.Text switch { "+" => Operators.Add, "-" => Operators.Subtract, _ => null });

    private Expr Product() =>
        Binary(Unary, t => t.Text switch { "*" => Operators.Multiply, "/" => Operators.Divide, "%" => Operators.Modulo, _ => null });

    private Expr Binary(Func<Expr> operand, Func<Token, string?> function)
    {
        var left = operand();
        while (Current.Kind == TokenKind.Symbol && function(Current) is { } name)
        {
            var offset = Take().Offset;
            left = NewCall(offset, name, null, [left, operand()]);
        }

        return left;
    }

    private Expr Unary()
    {
        if (Current.Is("!"))
        {
            return Repeated("!", Operators.Not);
        }

        var isLiteral = _tokens[_at + (Current.Kind == TokenKind.End ? 0 : 1)].Kind is TokenKind.Int or TokenKind.Double;
        return Current.Is("-") && !isLiteral ? Repeated("-", Operators.Negate) : Member();
    }

    private Expr Repeated(string symbol, string function)
    {
        var offset = Current.Offset;
        var count = 0;
        while (Current.Is(symbol))
        {
            Take();
            count++;
        }

        var operand = Member();
        return count % 2 == 0 ? operand : NewCall(offset, function, null, [operand]);
    }

    private Expr Member()
    {
        var operand = Primary();
        while (true)
        {
            if (Current.Is("."))
            {
                operand = Dot(operand);
            }
            else if (Current.Is("["))
            {
                operand = Index(operand);
            }
            else if (Current.Is("{") && QualifiedName(operand) is { } name)
            {
                operand = Struct(name);
            }
            else
            {
                return operand;
            }
        }
    }

    private Expr Dot(Expr operand)
    {
        var offset = Take().Offset;
        if (Current.Is("?"))
        {
            Take();
            var optional = Identifier();
            return NewCall(offset, Operators.OptSelect, null, [operand, new Literal(optional.Offset, optional.Text)]);
        }

        var field = Identifier();
        return Current.Is("(") ? MemberCall(operand, field.Text) : Checked(new Select(offset, operand, field.Text));
    }

    private Expr MemberCall(Expr operand, string function)
    {
        var offset = Current.Offset;
        return Expand(offset, function, operand, Arguments());
    }

    private Expr Index(Expr operand)
    {
        var offset = Take().Offset;
        var isOptional = Current.Is("?");
        if (isOptional)
        {
            Take();
        }

        var index = Expression();
        Expect("]");
        return NewCall(offset, isOptional ? Operators.OptIndex : Operators.Index, null, [operand, index]);
    }

    private List<Expr> Arguments()
    {
        Expect("(");
        var args = new List<Expr>();
        while (!Current.Is(")"))
        {
            args.Add(Expression());
            if (!Current.Is(","))
            {
                break;
            }

            Take();
            if (Current.Is(")"))
            {
                throw Unexpected(Operands);
            }
        }

        Expect(")");
        return args;
    }

    private Expr Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Identifier:
                return IdentOrCall("");
            case TokenKind.Symbol:
                return Bracketed(token);
            case TokenKind.End:
                throw Unexpected(Operands);
            default:
                return Constant(Take(), "");
        }
    }

    private Expr Bracketed(Token token)
    {
        switch (token.Text)
        {
            case "(":
                Take();
                var inner = Expression();
                Expect(")");
                return inner;
            case "[":
                return List();
            case "{":
                return Map();
            case ".":
                Take();
                return IdentOrCall(".");
            case "-" when _tokens[_at + 1].Kind is TokenKind.Int or TokenKind.Double:
                Take();
                return Constant(Take(), "-");
            case "true":
                return new Literal(Take().Offset, Boxes.True);
            case "false":
                return new Literal(Take().Offset, Boxes.False);
            case "null":
                return new Literal(Take().Offset, CelNull.Instance);
            default:
                throw Unexpected(Operands);
        }
    }

    private Expr IdentOrCall(string prefix)
    {
        var name = Identifier();
        if (Reserved.Contains(name.Text) && !Current.Is("("))
        {
            throw new SyntaxException(name.Offset, $"reserved identifier: {name.Text}");
        }

        if (!Current.Is("("))
        {
            return new Ident(name.Offset, prefix + name.Text);
        }

        var offset = Current.Offset;
        return Expand(offset, prefix + name.Text, null, Arguments());
    }

    private Expr Expand(int offset, string function, Expr? target, List<Expr> args) =>
        Checked(Macros.Expand(offset, function, target, args, _issues) ?? NewCall(offset, function, target, args));

    private ListExpr List()
    {
        var offset = Take().Offset;
        var elements = new List<Expr>();
        var optional = new HashSet<int>();
        while (!Current.Is("]"))
        {
            if (Current.Is("?"))
            {
                Take();
                optional.Add(elements.Count);
            }

            elements.Add(Expression());
            if (!TakeComma())
            {
                break;
            }
        }

        Expect("]");
        return Checked(new ListExpr(offset, elements, optional));
    }

    private MapExpr Map()
    {
        var offset = Take().Offset;
        var entries = new List<MapEntry>();
        while (!Current.Is("}"))
        {
            var isOptional = TakeOptional();
            var key = Expression();
            Expect(":");
            entries.Add(new MapEntry(key, Expression(), isOptional));
            if (!TakeComma())
            {
                break;
            }
        }

        Expect("}");
        return Checked(new MapExpr(offset, entries));
    }

    private StructExpr Struct(string name)
    {
        var offset = Take().Offset;
        var fields = new List<FieldEntry>();
        while (!Current.Is("}"))
        {
            var isOptional = TakeOptional();
            var field = Identifier();
            var colon = Current.Offset;
            Expect(":");
            fields.Add(new FieldEntry(colon, field.Text, Expression(), isOptional));
            if (!TakeComma())
            {
                break;
            }
        }

        Expect("}");
        return Checked(new StructExpr(offset, name, fields));
    }

    private bool TakeOptional()
    {
        if (!Current.Is("?"))
        {
            return false;
        }

        Take();
        return true;
    }

    private bool TakeComma()
    {
        if (!Current.Is(","))
        {
            return false;
        }

        Take();
        return true;
    }

    private static Literal Constant(Token token, string sign)
    {
        try
        {
            return new Literal(token.Offset, Value(token, sign));
        }
        catch (Exception e) when (e is OverflowException or FormatException)
        {
            var kind = token.Kind switch
            {
                TokenKind.Int => "invalid int literal",
                TokenKind.Uint => "invalid uint literal",
                TokenKind.Double => "invalid double literal",
                _ => $"invalid string literal: {e.Message}",
            };
            throw new SyntaxException(token.Offset, kind);
        }
    }

    private static object Value(Token token, string sign) => token.Kind switch
    {
        TokenKind.Int => Int(token.Text, sign),
        TokenKind.Uint => Uint(token.Text[..^1]),
        TokenKind.Double => double.Parse(sign + token.Text, NumberStyles.Float, CultureInfo.InvariantCulture) is var d && double.IsFinite(d)
            ? d
            : throw new OverflowException(),
        TokenKind.Bytes => new CelBytes(StringLiteral.Bytes(token.Text)),
        _ => StringLiteral.Text(token.Text),
    };

    private static object Int(string text, string sign)
    {
        if (!text.StartsWith("0x", StringComparison.Ordinal))
        {
            return long.Parse(sign + text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        }

        var magnitude = Int128.Parse("0" + text[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return checked((long)(sign.Length > 0 ? -magnitude : magnitude));
    }

    private static object Uint(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>The dotted name that an expression is, or null.</summary>
    internal static string? QualifiedName(Expr expr) => expr switch
    {
        Ident i => i.Name,
        Select { TestOnly: false } s => QualifiedName(s.Operand) is { } left ? $"{left}.{s.Field}" : null,
        _ => null,
    };

    private static Call NewCall(int offset, string function, Expr? target, IReadOnlyList<Expr> args) => Checked(new Call(offset, function, target, args));

    private static T Checked<T>(T expr)
        where T : Expr => expr.Height > MaxDepth ? throw TooDeep() : expr;

    private Token Take() => _tokens[_at++];

    private Token Identifier() => Current.Kind == TokenKind.Identifier ? Take() : throw Unexpected("IDENTIFIER");

    private void Expect(string symbol)
    {
        if (!Current.Is(symbol))
        {
            throw Unexpected($"'{symbol}'");
        }

        _at++;
    }

    private void ExpectEnd()
    {
        if (Current.Kind != TokenKind.End)
        {
            var word = _tokens[_at + 1].Kind == TokenKind.End ? "extraneous" : "mismatched";
            throw new SyntaxException(Current.Offset, $"Syntax error: {word} input '{Current.Text}' expecting <EOF>");
        }
    }

    private SyntaxException Unexpected(string expected) =>
        new(Current.Offset, $"Syntax error: mismatched input '{Current.Text}' expecting {expected}");

    private static SyntaxException TooDeep() => new(0, $"expression recursion limit exceeded: {MaxDepth}");

    private sealed class SyntaxException(int offset, string message) : Exception(message)
    {
        public Issue Issue { get; } = new(offset, message);
    }
}

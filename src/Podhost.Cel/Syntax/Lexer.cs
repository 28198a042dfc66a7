namespace Podhost.Cel.Syntax;

/// <summary>Cuts an expression into tokens. Text that is no token becomes an issue and is skipped.</summary>
internal sealed class Lexer(string text, List<Issue> issues)
{
    // Longer symbols before those that they begin with.
    private static readonly string[] Symbols =
        ["==", "!=", "<=", ">=", "&&", "||", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "+", "*", "/", "%", "<", ">"];

    private static readonly HashSet<string> Keywords = ["true", "false", "null", "in"];

    private int _at;

    /// <summary>All tokens, the last of which is the end.</summary>
    public List<Token> Read()
    {
        var tokens = new List<Token>();
        while (SkipBlank())
        {
            if (Next() is { } token)
            {
                tokens.Add(token);
            }
        }

        tokens.Add(new Token(TokenKind.End, text.Length, "<EOF>"));
        return tokens;
    }

    private bool SkipBlank()
    {
        while (_at < text.Length)
        {
            if (text[_at] is ' ' or '\t' or '\n' or '\r' or '\f')
            {
                _at++;
            }
            else if (text[_at] == '/' && Peek(1) == '/')
            {
                var end = text.IndexOf('\n', _at);
                _at = end < 0 ? text.Length : end;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    private Token? Next()
    {
        var c = text[_at];
        if (StringStart() is { } prefix)
        {
            return Quoted(prefix);
        }

        if (char.IsAsciiLetter(c) || c == '_')
        {
            return Word();
        }

        return char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1))) ? Number() : Symbol();
    }

    private Token Word()
    {
        var start = _at;
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
        {
            _at++;
        }

        var word = text[start.._at];
        return new Token(Keywords.Contains(word) ? TokenKind.Symbol : TokenKind.Identifier, start, word);
    }

    private Token Number()
    {
        var start = _at;
        if (text[_at] == '0' && Peek(1) is 'x' && char.IsAsciiHexDigit(Peek(2)))
        {
            _at += 2;
            Skip(char.IsAsciiHexDigit);
            return Integer(start);
        }

        Skip(char.IsAsciiDigit);
        var isDouble = false;
        if (Peek(0) == '.' && char.IsAsciiDigit(Peek(1)))
        {
            isDouble = true;
            _at++;
            Skip(char.IsAsciiDigit);
        }

        if (Peek(0) is 'e' or 'E' && (char.IsAsciiDigit(Peek(1)) || (Peek(1) is '+' or '-' && char.IsAsciiDigit(Peek(2)))))
        {
            isDouble = true;
            _at += 2;
            Skip(char.IsAsciiDigit);
        }

        return isDouble ? new Token(TokenKind.Double, start, text[start.._at]) : Integer(start);
    }

    private Token Integer(int start)
    {
        if (Peek(0) is not ('u' or 'U'))
        {
            return new Token(TokenKind.Int, start, text[start.._at]);
        }

        _at++;
        return new Token(TokenKind.Uint, start, text[start.._at]);
    }

    private Token? Symbol()
    {
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, _at, symbol, 0, symbol.Length) == 0)
            {
                _at += symbol.Length;
                return new Token(TokenKind.Symbol, _at - symbol.Length, symbol);
            }
        }

        // Half of an operator takes the character with it that does not continue it.
        var width = text[_at] is '=' or '&' or '|' && _at + 1 < text.Length ? 2 : 1;
        if (char.IsHighSurrogate(text[_at + width - 1]) && _at + width < text.Length)
        {
            width++;
        }

        Unrecognized(_at, _at + width);
        return null;
    }

    private void Unrecognized(int start, int end)
    {
        issues.Add(new Issue(start, $"Syntax error: token recognition error at: '{Escape(text[start..end])}'"));
        _at = end;
    }

    /// <summary>The number of prefix letters where a string begins here, else null.</summary>
    private int? StringStart()
    {
        var prefix = 0;
        while (prefix < 2 && Peek(prefix) is 'r' or 'R' or 'b' or 'B')
        {
            prefix++;
        }

        var isTwice = prefix == 2 && char.ToLowerInvariant(Peek(0)) == char.ToLowerInvariant(Peek(1));
        return Peek(prefix) is '\'' or '"' && !isTwice ? prefix : null;
    }

    private Token? Quoted(int prefix)
    {
        var start = _at;
        var letters = text.Substring(_at, prefix).ToLowerInvariant();
        var raw = letters.Contains('r', StringComparison.Ordinal);
        var quote = text[_at + prefix];
        var isLong = Peek(prefix + 1) == quote && Peek(prefix + 2) == quote;
        var body = _at + prefix + (isLong ? 3 : 1);
        var end = FindEnd(body, quote, isLong, raw);
        if (end < 0)
        {
            Unrecognized(start, LineEnd(start, isLong));
            return null;
        }

        _at = end + (isLong ? 3 : 1);
        return new Token(letters.Contains('b', StringComparison.Ordinal) ? TokenKind.Bytes : TokenKind.String, start, text[start.._at]);
    }

    private int FindEnd(int at, char quote, bool isLong, bool raw)
    {
        for (; at < text.Length; at++)
        {
            if (text[at] == '\\' && !raw)
            {
                at++;
            }
            else if (text[at] == quote && (!isLong || (At(at + 1) == quote && At(at + 2) == quote)))
            {
                return at;
            }
            else if (!isLong && text[at] is '\n' or '\r')
            {
                return -1;
            }
        }

        return -1;
    }

    private int LineEnd(int start, bool isLong)
    {
        var end = isLong ? -1 : text.IndexOf('\n', start);
        return end < 0 ? text.Length : end;
    }

    private void Skip(Func<char, bool> while_)
    {
        while (_at < text.Length && while_(text[_at]))
        {
            _at++;
        }
    }

    private char Peek(int ahead) => At(_at + ahead);

    private char At(int index) => index < text.Length ? text[index] : '\0';

    private static string Escape(string text) =>
        text.Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal);
}

using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>
/// Regular expressions with RE2's syntax and linear time: translated to .NET's and run without backtracking. Compiled ones are kept, 500 at most.
/// </summary>
internal static class Patterns
{
    private const int MaxKept = 500;

    private static readonly ConcurrentDictionary<string, object> Kept = new(StringComparer.Ordinal);

    public static void AddTo(FunctionTable t)
    {
        t.Add("find", "string_find_string", "string.(string) string", a => With(a[1], r => r.Match((string)a[0]).Value));
        t.Add("findAll", "string_find_all_string", "string.(string) list(string)", a => With(a[1], r => All(r, (string)a[0], -1)));
        t.Add("findAll", "string_find_all_string_int", "string.(string, int) list(string)", a => With(a[1], r => All(r, (string)a[0], (long)a[2])));
    }

    /// <summary>True where a part of the text matches; an error for an invalid pattern.</summary>
    public static object IsMatch(string text, string pattern) => With(pattern, r => Boxes.Of(r.IsMatch(text)));

    /// <summary>The compiled pattern, or a <see cref="CelError"/>.</summary>
    public static object Compile(string pattern)
    {
        if (Kept.TryGetValue(pattern, out var known))
        {
            return known;
        }

        object compiled;
        try
        {
            compiled = new Regex(new Re2Translator(pattern).Translate(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            compiled = new CelError($"error parsing regexp: {e.Message}");
        }

        if (Kept.Count >= MaxKept)
        {
            Kept.Clear();
        }

        return Kept[pattern] = compiled;
    }

    private static object With(object pattern, Func<Regex, object> use) => Compile((string)pattern) is Regex regex ? use(regex) : Compile((string)pattern);

    private static ArrayList All(Regex regex, string text, long limit)
    {
        var found = new List<object>();
        for (var match = regex.Match(text); match.Success && (limit < 0 || found.Count < limit); match = match.NextMatch())
        {
            found.Add(match.Value);
        }

        return new ArrayList(found);
    }

    /// <summary>What RE2 writes differently: ASCII classes, end of text, named groups, literal spans. What RE2 does not have is refused.</summary>
    private sealed class Re2Translator(string pattern)
    {
        private readonly StringBuilder _out = new();
        private int _at;

        public string Translate()
        {
            while (_at < pattern.Length)
            {
                switch (pattern[_at])
                {
                    case '\\':
                        Escape(inClass: false);
                        break;
                    case '[':
                        Class();
                        break;
                    case '(':
                        Group();
                        break;
                    case '$':
                        _out.Append(@"(?:\z)");
                        _at++;
                        break;
                    default:
                        _out.Append(pattern[_at++]);
                        break;
                }
            }

            return _out.ToString();
        }

        private void Group()
        {
            if (StartsWith("(?P<"))
            {
                _out.Append("(?<");
                _at += 4;
                return;
            }

            if (StartsWith("(?=") || StartsWith("(?!") || StartsWith("(?<=") || StartsWith("(?<!") || StartsWith("(?>") || StartsWith("(?#") || StartsWith("(?("))
            {
                throw new ArgumentException($"invalid or unsupported Perl syntax: `{pattern.Substring(_at, pattern[_at + 2] == '<' ? 4 : 3)}`");
            }

            _out.Append('(');
            _at++;
        }

        private void Escape(bool inClass)
        {
            if (_at + 1 >= pattern.Length)
            {
                throw new ArgumentException("trailing backslash at end of expression: ``");
            }

            var c = pattern[_at + 1];
            _at += 2;
            switch (c)
            {
                case 'd' or 'w' or 's' or 'D' or 'W' or 'S':
                    _out.Append(Ascii(c, inClass));
                    break;
                case 'Q' when !inClass:
                    Quoted();
                    break;
                case 'p' or 'P':
                    Property(c);
                    break;
                case 'x' when _at < pattern.Length && pattern[_at] == '{':
                    CodePoint();
                    break;
                case 'a' or 'f' or 't' or 'n' or 'r' or 'v' or 'x':
                case 'A' or 'z' or 'b' or 'B' when !inClass:
                    _out.Append('\\').Append(c);
                    break;
                default:
                    Literal(c);
                    break;
            }
        }

        private void Literal(char c)
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                throw new ArgumentException($"invalid escape sequence: `\\{c}`");
            }

            _out.Append(c < 128 ? "\\" : "").Append(c);
        }

        private static string Ascii(char c, bool inClass) => (c, inClass) switch
        {
            ('d', true) => "0-9",
            ('d', false) => "[0-9]",
            ('w', true) => "0-9A-Za-z_",
            ('w', false) => "[0-9A-Za-z_]",
            ('s', true) => @"\t\n\f\r ",
            ('s', false) => @"[\t\n\f\r ]",
            ('D', true) => @"\x00-/:-\uffff",
            ('D', false) => "[^0-9]",
            ('W', true) => @"\x00-/:-@\[-^`{-\uffff",
            ('W', false) => "[^0-9A-Za-z_]",
            ('S', true) => @"\x00-\x08\x0b\x0e-\x1f!-\uffff",
            _ => @"[^\t\n\f\r ]",
        };

        private void Quoted()
        {
            var end = pattern.IndexOf(@"\E", _at, StringComparison.Ordinal);
            _out.Append(Regex.Escape(pattern[_at..(end < 0 ? pattern.Length : end)]));
            _at = end < 0 ? pattern.Length : end + 2;
        }

        private void Property(char c)
        {
            if (_at < pattern.Length && pattern[_at] == '{')
            {
                var end = pattern.IndexOf('}', _at);
                var name = end < 0 ? throw new ArgumentException("invalid character class range: `\\p`") : pattern[(_at + 1)..end];
                var isNegated = name.StartsWith('^');
                name = isNegated ? name[1..] : name;
                _out.Append('\\').Append((c == 'P') != isNegated ? 'P' : 'p').Append('{').Append(name.Length > 2 ? "Is" + name : name).Append('}');
                _at = end + 1;
                return;
            }

            _out.Append('\\').Append(c).Append('{').Append(_at < pattern.Length ? pattern[_at++] : throw new ArgumentException("invalid character class range: `\\p`")).Append('}');
        }

        private void CodePoint()
        {
            var end = pattern.IndexOf('}', _at);
            if (end < 0 || !int.TryParse(pattern.AsSpan(_at + 1, end - _at - 1), System.Globalization.NumberStyles.HexNumber, null, out var value) || !Rune.IsValid(value))
            {
                throw new ArgumentException("invalid escape sequence: `\\x`");
            }

            _out.Append(Regex.Escape(new Rune(value).ToString()));
            _at = end + 1;
        }

        private void Class()
        {
            _out.Append('[');
            _at++;
            if (_at < pattern.Length && pattern[_at] == '^')
            {
                _out.Append('^');
                _at++;
            }

            var isFirst = true;
            while (_at < pattern.Length && (isFirst || pattern[_at] != ']'))
            {
                isFirst = false;
                ClassItem();
            }

            if (_at >= pattern.Length)
            {
                throw new ArgumentException($"missing closing ]: `{pattern[pattern.LastIndexOf('[')..]}`");
            }

            _out.Append(']');
            _at++;
        }

        private void ClassItem()
        {
            if (pattern[_at] == '\\')
            {
                Escape(inClass: true);
            }
            else if (StartsWith("[:") && pattern.IndexOf(":]", _at, StringComparison.Ordinal) is > 0 and var end)
            {
                _out.Append(Posix(pattern[(_at + 2)..end]));
                _at = end + 2;
            }
            else if (pattern[_at] == '[' || (pattern[_at] == ']'))
            {
                _out.Append('\\').Append(pattern[_at++]);
            }
            else
            {
                _out.Append(pattern[_at++]);
            }
        }

        private static string Posix(string name) => name switch
        {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "ascii" => @"\x00-\x7F",
            "blank" => @"\t ",
            "cntrl" => @"\x00-\x1F\x7F",
            "digit" => "0-9",
            "graph" => "!-~",
            "lower" => "a-z",
            "print" => " -~",
            "punct" => @"!-/:-@\[-`{-~",
            "space" => @"\t\n\v\f\r ",
            "upper" => "A-Z",
            "word" => "0-9A-Za-z_",
            "xdigit" => "0-9A-Fa-f",
            _ => throw new ArgumentException($"invalid character class range: `[:{name}:]`"),
        };

        private bool StartsWith(string text) => string.CompareOrdinal(pattern, _at, text, 0, text.Length) == 0;
    }
}
